--[[
  What maintenance has to do in an org: one look, without a change.

  KEYS[1] org   KEYS[2] due   KEYS[3] journal   KEYS[4] outbox   KEYS[5] notices   KEYS[6] audit   KEYS[7] events
  KEYS[8] exports
  No ARGV.

  Returns { now, version (0: no such org), end of the present cycle, when the first hold or tombstone is due, when a delivery of
            notices is due, time of the last piece of a staging (1: it is to be ended), entries of the journal, bytes that they take (0
            without targets of its export), id of the first entry that is not folded, what was folded last, how far a fold got, rule, ids
            of the first entries of outbox, audit and events, { per target of the export: target, its text, id of the first entry that it lacks } }, with 0 and '' for nothing.
]]
--- @include "now"
--- @include "staged"

local head = redis.call(
  'HMGET',
  KEYS[1],
  'now',
  'version',
  'epoch',
  'end',
  'fold',
  'folding',
  'rule',
  'state',
  'staging',
  'stagingAt'
)
local time = math.max(now(), tonumber(head[1] or 0))
if not head[3] then return { time, 0 } end
local first = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local fold = head[5] or ''
-- One that is current, or that has ended, waits for nothing.
local is_over = staged_prefix(head[8]) or head[9] and string.byte(head[9]) == 45
local staging_at = is_over and 1 or tonumber(head[10] or 0)
local function first_entry(key, from)
  local entry = redis.call('XRANGE', key, from, '+', 'COUNT', 1)[1]
  return entry and entry[1] or ''
end
-- Nodes of the stream whose size is read: their average stands for all.
local SAMPLES = 100
local exports = {}
local states = redis.call('HGETALL', KEYS[8])
for at = 1, #states, 2 do
  local last = string.match(states[at + 1], '^[^|]*')
  exports[#exports + 1] = states[at]
  exports[#exports + 1] = states[at + 1]
  exports[#exports + 1] = first_entry(KEYS[3], last == '' and '-' or '(' .. last)
end
local bytes = #states > 0 and redis.call('MEMORY', 'USAGE', KEYS[3], 'SAMPLES', SAMPLES) or 0
local notices_due = string.match(redis.call('HGET', KEYS[5], 'due') or '0', '^%d+')
return {
  time,
  tonumber(head[2] or 0),
  tonumber(head[4] or 0),
  tonumber(first[2] or 0),
  tonumber(notices_due),
  staging_at,
  redis.call('XLEN', KEYS[3]),
  bytes,
  first_entry(KEYS[3], fold == '' and '-' or '(' .. fold),
  fold,
  head[6] or '',
  head[7] or '',
  first_entry(KEYS[4], '-'),
  first_entry(KEYS[6], '-'),
  first_entry(KEYS[7], '-'),
  exports,
}
