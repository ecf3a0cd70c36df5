--[[
  A change of an org's directory, its audit entry and its entry in the change feed, if the org is still as it was read. Then reads.

  KEYS[1] org   KEYS[2] audit   KEYS[3] changes   KEYS[4] … the tables that are changed, then those that are only expected or read
  ARGV[1] version, '' for any of an org that exists   ARGV[2] audit entry, '' for none
  ARGV[3] entry of the change feed, '' for none   ARGV[4] the staging that becomes current, '' for none
  ARGV[5] number of changes
  then, per change: 'set' | 'del' | 'incr', place of its table in KEYS, field, value ('' for del)
  then what is expected (include/expected-fields.lua)
  then, per table to read: its place in KEYS, the number of fields, and the fields

  Returns what read.lua returns. False: the org is at another version, a field differs, a staging is being moved into place, or
  the staging that becomes current has ended or meets a later change.
]]
--- @include "now"
--- @include "force-hashtable"
--- @include "staged"
--- @include "put-staged"
--- @include "wanted-fields"
--- @include "expected-fields"

-- Entries that are kept, as in src/ledger/change-feed.ts.
local FEED_KEPT = 1000
local head = redis.call('HMGET', KEYS[1], 'version', 'now', 'state', 'staging', 'stagingConflict', 'stagingSeats')
local version, state, staging = tonumber(head[1] or 0), head[3], head[4]
if ARGV[1] == '' and version == 0 or ARGV[1] ~= '' and version ~= tonumber(ARGV[1]) then return false end
if staged_prefix(state) then return false end
local switched = ARGV[4] ~= ''
if switched and (staging ~= ARGV[4] or head[5] or state == 'archived') then return false end
local expected = 6 + 4 * tonumber(ARGV[5])
local wanted = behind_expected(expected)
if not wanted then return false end

-- A staging that writes the same field must not undo this change.
local function meets_staging(key, field)
  if redis.call('HGET', key, '!' .. staging .. ':' .. field) then redis.call('HSET', KEYS[1], 'stagingConflict', 1) end
end

local last_changed, limits_changed = 3, switched
for at = 6, expected - 1, 4 do
  local kind, table_at, field, value = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local key = KEYS[table_at]
  last_changed = math.max(last_changed, table_at)
  limits_changed = limits_changed or string.find(key, ':limits$') ~= nil
  if staging and not switched then meets_staging(key, field) end
  if kind == 'set' then
    redis.call('HSET', key, field, value)
  elseif kind == 'del' then
    redis.call('HDEL', key, field)
  else
    redis.call('HINCRBY', key, field, value)
  end
end
for at = 4, last_changed do
  force_hashtable(KEYS[at])
end
if switched then
  -- Users of the staging whom a call registered meanwhile have taken their seats already.
  if head[6] then redis.call('HINCRBY', KEYS[1], 'seatsUsed', head[6]) end
  redis.call('HDEL', KEYS[1], 'staging', 'stagingAt', 'stagingSeats')
  redis.call('HSET', KEYS[1], 'state', 'open:' .. ARGV[4])
  redis.call('HINCRBY', KEYS[1], 'switches', 1)
end
redis.call('HSET', KEYS[1], 'version', version + 1)
if limits_changed then redis.call('HINCRBY', KEYS[1], 'limitsVersion', 1) end
-- Every decision reads a dozen fields of it.
force_hashtable(KEYS[1], 8)
if ARGV[2] ~= '' then redis.call('XADD', KEYS[2], '*', 'e', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('XADD', KEYS[3], 'MAXLEN', '~', FEED_KEPT, '*', 'e', ARGV[3]) end
local prefix = switched and '!' .. ARGV[4] .. ':'
return append_wanted({ math.max(now(), tonumber(head[2] or 0)), version + 1 }, wanted, prefix)
