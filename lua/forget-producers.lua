--[[
  Forgets producers whose last call is long past: their gateways are gone.

  KEYS[1] the table that has their last calls: org, or producers (of earlier versions)   KEYS[2] org
  ARGV[1] how long past the org's time, in ms   ARGV[2] … the fields to look at
  Returns how many it forgot.
]]
local horizon = tonumber(redis.call('HGET', KEYS[2], 'now') or 0) - tonumber(ARGV[1])
local count = 0
for index = 2, #ARGV do
  local record = redis.call('HGET', KEYS[1], ARGV[index])
  local at = record and string.match(record, '^%d+|(%d+)|')
  if at and tonumber(at) < horizon then
    redis.call('HDEL', KEYS[1], ARGV[index])
    count = count + 1
  end
end
return count
