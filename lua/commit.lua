--[[
  A change of an org's directory and its audit entry, if the org is still at the version it was read at.

  KEYS[1] org   KEYS[2] audit   KEYS[3] … the tables that are changed
  ARGV[1] version   ARGV[2] audit entry, '' for none
  then, per change: 'set' | 'del' | 'incr', place of its table in KEYS, field, value ('' for del)

  Returns the new version, or -1 where the org was at another one.
]]
--- @include "force-hashtable"

local version = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
if version ~= tonumber(ARGV[1]) then return -1 end
for at = 3, #ARGV, 4 do
  local kind, key, field, value = ARGV[at], KEYS[tonumber(ARGV[at + 1])], ARGV[at + 2], ARGV[at + 3]
  if kind == 'set' then
    redis.call('HSET', key, field, value)
  elseif kind == 'del' then
    redis.call('HDEL', key, field)
  else
    redis.call('HINCRBY', key, field, value)
  end
end
for at = 3, #KEYS do
  force_hashtable(KEYS[at])
end
redis.call('HSET', KEYS[1], 'version', version + 1)
if ARGV[2] ~= '' then redis.call('XADD', KEYS[2], '*', 'e', ARGV[2]) end
return version + 1
