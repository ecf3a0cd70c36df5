--[[
  What maintenance has to do in an org: one look, without a change.

  KEYS[1] org   KEYS[2] due   KEYS[3] journal
  No ARGV.

  Returns { now, version (0: no such org), end of the present cycle, when the first hold or tombstone is due, id of the first entry
            that is not folded, what was folded last, how far a fold got, rule }, with 0 and '' for nothing.
]]
--- @include "now"

local head = redis.call('HMGET', KEYS[1], 'now', 'version', 'epoch', 'end', 'fold', 'folding', 'rule')
local time = math.max(now(), tonumber(head[1] or 0))
if not head[3] then return { time, 0, 0, 0, '', '', '', '' } end
local first = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local fold = head[5] or ''
local entry = redis.call('XRANGE', KEYS[3], fold == '' and '-' or '(' .. fold, '+', 'COUNT', 1)
return {
  time,
  tonumber(head[2] or 0),
  tonumber(head[4] or 0),
  tonumber(first[2] or 0),
  entry[1] and entry[1][1] or '',
  fold,
  head[6] or '',
  head[7] or '',
}
