--[[
  Fields of several tables of one org, at one moment.

  KEYS[1] org   KEYS[2] … the other tables to read
  ARGV: per table, its place in KEYS, the number of fields, and the fields

  Returns { now, version (0: no such org), fields of the first table …, of the second … }, absent ones as false.
]]
--- @include "now"
--- @include "staged"
--- @include "put-staged"
--- @include "wanted-fields"

local head = redis.call('HMGET', KEYS[1], 'now', 'version', 'state')
return append_wanted({ math.max(now(), tonumber(head[1] or 0)), tonumber(head[2] or 0) }, 1, staged_prefix(head[3]))
