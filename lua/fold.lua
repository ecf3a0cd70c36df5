--[[
  Writes texts of history that contain journal entries, once: only if `from` is still what was folded last. A fold of many texts takes
  several calls; the head's `folding` says how far it got, and only the call without an `after` ends it and deletes the entries, but for
  those that a target of the export lacks.

  KEYS[1] org   KEYS[2] journal   KEYS[3] exports   KEYS[4] … the tables of history
  ARGV[1] from, '' at first   ARGV[2] to   ARGV[3] what `folding` must be, '' for absent   ARGV[4] what it becomes, '' at the end
  then, per text: place of its table in KEYS, field, text

  Returns 1, or 0 where another folder was there before, or where there is no such org.
]]
--- @include "force-hashtable"
--- @include "exported"

local head = redis.call('HMGET', KEYS[1], 'epoch', 'fold', 'folding')
if not head[1] or (head[2] or '') ~= ARGV[1] or (head[3] or '') ~= ARGV[3] then return 0 end
for index = 4, #KEYS do
  force_hashtable(KEYS[index])
end
for at = 5, #ARGV, 3 do
  redis.call('HSET', KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2])
end
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'folding', ARGV[4])
  return 1
end
redis.call('HSET', KEYS[1], 'fold', ARGV[2])
redis.call('HDEL', KEYS[1], 'folding')
trim_exported(KEYS[2], KEYS[3], ARGV[2])
return 1
