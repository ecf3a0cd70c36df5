--[[
  A change of an org's directory, its audit entry and its entry in the change feed, if the org is still at the version it was read
  at. Then reads.

  KEYS[1] org   KEYS[2] audit   KEYS[3] changes   KEYS[4] … the tables that are changed, then those that are only read
  ARGV[1] version   ARGV[2] audit entry, '' for none   ARGV[3] entry of the change feed, '' for none   ARGV[4] number of changes
  then, per change: 'set' | 'del' | 'incr', place of its table in KEYS, field, value ('' for del)
  then, per table to read: its place in KEYS, the number of fields, and the fields

  Returns what read.lua returns, or false where the org was at another version.
]]
--- @include "now"
--- @include "force-hashtable"
--- @include "wanted-fields"

-- Entries that are kept, as in src/ledger/change-feed.ts.
local FEED_KEPT = 1000
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
if version ~= tonumber(ARGV[1]) then return false end
local wanted, last_changed = 5 + 4 * tonumber(ARGV[4]), 3
for at = 5, wanted - 1, 4 do
  local kind, table_at, field, value = ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
  local key = KEYS[table_at]
  last_changed = math.max(last_changed, table_at)
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
redis.call('HSET', KEYS[1], 'version', version + 1)
-- Every decision reads a dozen fields of it.
force_hashtable(KEYS[1], 8)
if ARGV[2] ~= '' then redis.call('XADD', KEYS[2], '*', 'e', ARGV[2]) end
if ARGV[3] ~= '' then redis.call('XADD', KEYS[3], 'MAXLEN', '~', FEED_KEPT, '*', 'e', ARGV[3]) end
local last_seen = tonumber(redis.call('HGET', KEYS[1], 'now') or 0)
return append_wanted({ math.max(now(), last_seen), version + 1 }, wanted)
