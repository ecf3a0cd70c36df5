--[[
  Which commands of quotagate this Redis user may not run. It runs each of them, and removes what it wrote.

  KEYS[1] a hash   KEYS[2] a string   KEYS[3] a set   KEYS[4] a sorted set   KEYS[5] a stream: all for nothing else
  No ARGV.

  Returns the names of the commands, and 'key' for each that the user may not run on these keys.
]]
--- @include "now"

local denied = {}

local function note(command, text)
  if
    string.find(text, "can't access at least one of the keys", 1, true)
    or string.find(text, 'ermissions to access', 1, true)
  then
    denied[#denied + 1] = 'key'
  elseif
    string.find(text, "can't run this command", 1, true) or string.find(text, 'no permissions to run', 1, true)
  then
    denied[#denied + 1] = command
  end
end

-- Any other error says nothing about permissions: memory may be full, or this server a replica.
local function try(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then note(command, reply.err) end
end

local is_told, failure = pcall(now)
if not is_told then note('TIME', type(failure) == 'table' and failure.err or tostring(failure)) end
try('HSET', KEYS[1], 'f', '1')
try('HSETNX', KEYS[1], 'f', '1')
try('HINCRBY', KEYS[1], 'f', '1')
try('HGET', KEYS[1], 'f')
try('HMGET', KEYS[1], 'f')
try('HGETALL', KEYS[1])
try('HLEN', KEYS[1])
try('HSCAN', KEYS[1], '0')
try('HDEL', KEYS[1], 'f')
try('SET', KEYS[2], '1')
try('GET', KEYS[2])
try('EXISTS', KEYS[2])
try('SADD', KEYS[3], 'm')
try('SCARD', KEYS[3])
try('SSCAN', KEYS[3], '0')
try('ZADD', KEYS[4], '1', 'm')
try('ZRANGEBYSCORE', KEYS[4], '0', '1')
try('ZREM', KEYS[4], 'm')
try('XADD', KEYS[5], '1-1', 'e', '1')
try('XRANGE', KEYS[5], '-', '+')
try('XREVRANGE', KEYS[5], '+', '-')
try('XLEN', KEYS[5])
try('MEMORY', 'USAGE', KEYS[5])
try('XTRIM', KEYS[5], 'MAXLEN', '0')
try('UNLINK', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return denied
