-- Many fields of a hash in few calls: `unpack` fails near 8,000 values. Needs `head`, `put-staged`.

local function read_all(key, names, into)
  for first = 1, #names, 4000 do
    local last = math.min(first + 3999, #names)
    local values = redis.call('HMGET', key, unpack(names, first, last))
    for index = first, last do
      into[names[index]] = values[index - first + 1]
    end
  end
end

-- The same of a table of the directory.
local function read_directory(key, names, into)
  read_all(key, names, into)
  if not head.staged or #names == 0 then return end
  local values = {}
  put_staged(head.staged, key, names, values)
  for index = 1, #names do
    if values[index] ~= nil then into[names[index]] = values[index] end
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
