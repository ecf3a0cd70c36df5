--[[
  Whether this store has begun, and whether it may begin now. A store that has lost its data must not begin again before
  every connected gateway had time to say so: each calls this at least once a second.

  KEYS[1] the store
  ARGV[1] epoch that the caller knows the store by, '' for none   ARGV[2] epoch to begin it with
  ARGV[3] ms without an objection before it begins   ARGV[4] ms between two calls after which the wait begins anew

  Returns { epoch, ms to wait }: epoch is '' where the store has not begun. A caller that knows one objects by calling.
]]
--- @include "now"

local found = redis.call('HMGET', KEYS[1], 'epoch', 'emptySince', 'calledAt')
if found[1] then return { found[1], 0 } end
local time, wait, gap = now(), tonumber(ARGV[3]), tonumber(ARGV[4])
local since, called = tonumber(found[2] or time), tonumber(found[3] or time)
-- Nobody looked for a while, or the clock was set back: gateways may have been cut off, and are to have their time.
if ARGV[1] ~= '' or time - called > gap or time < called then since = time end
if ARGV[1] == '' and time - since >= wait then
  redis.call('HDEL', KEYS[1], 'emptySince', 'calledAt')
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
  return { ARGV[2], 0 }
end
redis.call('HSET', KEYS[1], 'emptySince', since, 'calledAt', time)
return { '', math.max(1, wait - (time - since)) }
