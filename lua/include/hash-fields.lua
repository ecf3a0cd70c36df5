-- Many fields of a hash in few calls: `unpack` fails near 8,000 values.

local function read_all(key, names, into)
  for first = 1, #names, 4000 do
    local last = math.min(first + 3999, #names)
    local values = redis.call('HMGET', key, unpack(names, first, last))
    for index = first, last do
      into[names[index]] = values[index - first + 1]
    end
  end
end

-- Answers how many fields are new or gone.
local function write(command, key, args)
  local count = 0
  for first = 1, #args, 4000 do
    count = count + redis.call(command, key, unpack(args, first, math.min(first + 3999, #args)))
  end
  return count
end
