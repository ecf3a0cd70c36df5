--[[
  A step of the delivery of notices: removes entries of the outbox that became deliveries, changes deliveries, appends events. Only
  if the outbox still begins with the entry that was read, and the fields that were read have their values.

  KEYS[1] notices   KEYS[2] outbox   KEYS[3] events
  ARGV[1] first entry to remove, '' for none   ARGV[2] last entry to remove
  ARGV[3] number of expected fields   ARGV[4] number of changed fields
  then, per expected field and then per changed field: field, 1 or 0 (absent), value
  then, per event: its text

  Returns 1, or 0 where nothing was done.
]]
--- @include "force-hashtable"

local WIDTH, FIRST = 3, 5
if ARGV[1] ~= '' then
  local entry = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if not entry or entry[1] ~= ARGV[1] then return 0 end
end
local changes = FIRST + WIDTH * tonumber(ARGV[3])
local events = changes + WIDTH * tonumber(ARGV[4])
for at = FIRST, changes - 1, WIDTH do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value ~= (ARGV[at + 1] == '1' and ARGV[at + 2]) then return 0 end
end
for at = changes, events - 1, WIDTH do
  if ARGV[at + 1] == '1' then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  else
    redis.call('HDEL', KEYS[1], ARGV[at])
  end
end
force_hashtable(KEYS[1])
for at = events, #ARGV do
  redis.call('XADD', KEYS[3], '*', 'e', ARGV[at])
end
if ARGV[1] ~= '' then
  local ms, seq = string.match(ARGV[2], '^(%d+)-(%d+)$')
  redis.call('XTRIM', KEYS[2], 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
end
return 1
