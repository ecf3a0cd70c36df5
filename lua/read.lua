--[[
  Fields of several tables of one org, at one moment.

  KEYS[1] org   KEYS[2] … the tables to read
  ARGV: per table, the number of fields and the fields

  Returns { now, version (0: no such org), fields of the first table …, of the second … }, absent ones as false.
]]
--- @include "now"

local head = redis.call('HMGET', KEYS[1], 'now', 'version')
local reply = { math.max(now(), tonumber(head[1] or 0)), tonumber(head[2] or 0) }
local at = 1
for index = 2, #KEYS do
  local count = tonumber(ARGV[at])
  -- `unpack` fails near 8,000 values.
  for first = at + 1, at + count, 4000 do
    local last = math.min(first + 3999, at + count)
    local values = redis.call('HMGET', KEYS[index], unpack(ARGV, first, last))
    for place = 1, last - first + 1 do
      reply[#reply + 1] = values[place]
    end
  end
  at = at + 1 + count
end
return reply
