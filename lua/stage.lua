--[[
  One piece of a staging (include/staged.lua), or its beginning. An org has one at a time, which ends when no piece came for a while.

  KEYS[1] org   KEYS[2] … the tables of the piece
  ARGV[1] id, '' to begin
  then what is expected (include/expected-fields.lua)
  then, per field: the place of its table in KEYS, the field, and its value, '' to delete it

  Returns the id that began, '' while there is another one; of a piece 'ok', 'changed' where a field differs, or 'ended'.
]]
--- @include "now"
--- @include "force-hashtable"
--- @include "staged"
--- @include "expected-fields"

local head = redis.call('HMGET', KEYS[1], 'staging', 'state', 'now')
local time = string.format('%.0f', math.max(now(), tonumber(head[3] or 0)))
if ARGV[1] == '' then
  if head[1] or staged_prefix(head[2]) then return '' end
  local id = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'stagings', 1))
  redis.call('HSET', KEYS[1], 'staging', id, 'stagingAt', time)
  return id
end
if head[1] ~= ARGV[1] then return 'ended' end
local first = behind_expected(2)
if not first then return 'changed' end
for at = first, #ARGV, 3 do
  redis.call('HSET', KEYS[tonumber(ARGV[at])], '!' .. ARGV[1] .. ':' .. ARGV[at + 1], ARGV[at + 2])
end
for place = 2, #KEYS do
  force_hashtable(KEYS[place])
end
redis.call('HSET', KEYS[1], 'stagingAt', time)
return 'ok'
