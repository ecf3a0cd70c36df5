-- Appends fields of several tables to `reply`, absent ones as false. ARGV from `at` on: per table, its place in KEYS, the number
-- of fields, and the fields.
local function append_wanted(reply, at)
  while at <= #ARGV do
    local key, final = KEYS[tonumber(ARGV[at])], at + 1 + tonumber(ARGV[at + 1])
    -- `unpack` fails near 8,000 values.
    for first = at + 2, final, 4000 do
      local last = math.min(first + 3999, final)
      local values = redis.call('HMGET', key, unpack(ARGV, first, last))
      for place = 1, last - first + 1 do
        reply[#reply + 1] = values[place]
      end
    end
    at = final + 1
  end
  return reply
end
