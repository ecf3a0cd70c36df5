--[[
  Deletes what nobody lacks of the journal; then, if it is still too long, its oldest entries: targets of the export lose them. An entry
  that is not in the history stays.

  KEYS[1] org   KEYS[2] journal   KEYS[3] exports
  ARGV[1] entries that may stay

  Returns { entries deleted, then for each target that lost entries: target, how many }
]]
--- @include "exported"

-- With their texts, so many are read below 2 ms.
local PAGE = 50
local fold = redis.call('HGET', KEYS[1], 'fold') or ''
local reply = { trim_exported(KEYS[2], KEYS[3], fold) }
local excess = redis.call('XLEN', KEYS[2]) - tonumber(ARGV[1])
if excess <= 0 then return reply end

local going = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', math.min(excess, PAGE))) do
  if is_before(fold, entry[1]) then break end
  going[#going + 1] = entry[1]
end
if #going == 0 then return reply end
local states = redis.call('HGETALL', KEYS[3])
for at = 1, #states, 2 do
  local own, lost, rest = string.match(states[at + 1], '^([^|]*)|(%d+)(|.*)$')
  local count = 0
  for _, id in ipairs(going) do
    if is_before(own, id) then count = count + 1 end
  end
  if count > 0 then
    local text = going[#going] .. '|' .. string.format('%.0f', lost + count) .. rest
    redis.call('HSET', KEYS[3], states[at], text)
    reply[#reply + 1] = states[at]
    reply[#reply + 1] = count
  end
end
reply[1] = reply[1] + trim_exported(KEYS[2], KEYS[3], fold)
return reply
