--[[
  Notes what a target of the export has, if its text is still what was read; then deletes what nobody lacks of the journal.

  KEYS[1] org   KEYS[2] journal   KEYS[3] exports
  ARGV[1] target   ARGV[2] its text, '' for absent   ARGV[3] what it becomes, '' for absent

  Returns 1, or 0 where the text is another one, or where there is no such org.
]]
--- @include "exported"

local head = redis.call('HMGET', KEYS[1], 'epoch', 'fold')
if not head[1] or (redis.call('HGET', KEYS[3], ARGV[1]) or '') ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
end
trim_exported(KEYS[2], KEYS[3], head[2] or '')
return 1
