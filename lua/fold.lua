--[[
  Moves journal entries into history, once: only if `from` is still what was folded last.

  KEYS[1] org   KEYS[2] journal   KEYS[3] … the tables of history
  ARGV[1] from, '' at first   ARGV[2] to   then, per sum: place of its table in KEYS, field, units

  Returns 1, or 0 where another folder was there before, or where there is no such org.
]]
--- @include "force-hashtable"

local head = redis.call('HMGET', KEYS[1], 'epoch', 'fold')
if not head[1] or (head[2] or '') ~= ARGV[1] then return 0 end
for index = 3, #KEYS do
  force_hashtable(KEYS[index])
end
for at = 3, #ARGV, 3 do
  redis.call('HINCRBY', KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2])
end
redis.call('HSET', KEYS[1], 'fold', ARGV[2])
local ms, seq = string.match(ARGV[2], '^(%d+)-(%d+)$')
redis.call('XTRIM', KEYS[2], 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
return 1
