-- Appends fields of several tables to `reply`, absent ones as false. ARGV from `at` on: per table, its place in KEYS, the number
-- of fields, and the fields. `prefix`: of the staging that is current, if any. Needs `put-staged`.
local STAGED_TABLES = { limits = true, members = true, groups = true, records = true }

local function append_wanted(reply, at, prefix)
  while at <= #ARGV do
    local key, final = KEYS[tonumber(ARGV[at])], at + 1 + tonumber(ARGV[at + 1])
    local is_staged = prefix and STAGED_TABLES[string.match(key, ':(%a+)$')]
    -- `unpack` fails near 8,000 values.
    for first = at + 2, final, 4000 do
      local last = math.min(first + 3999, final)
      local values = redis.call('HMGET', key, unpack(ARGV, first, last))
      if is_staged then put_staged(prefix, key, { unpack(ARGV, first, last) }, values) end
      for place = 1, last - first + 1 do
        reply[#reply + 1] = values[place]
      end
    end
    at = final + 1
  end
  return reply
end
