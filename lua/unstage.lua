--[[
  Ends stagings (include/staged.lua), in pieces: fields of the current one are moved into place, fields of ended ones are deleted.

  KEYS[1] org   KEYS[2] table, of a piece
  ARGV[1] 'begin': ends a staging that was abandoned, or that ARGV[2] names. ARGV[2] id or '', ARGV[3] ms without a piece
          'piece': then the staged fields
          'finish': all tables were gone through since 'begin'. ARGV[2] what 'begin' returned

  Returns of 'begin' what is to be finished, '' for nothing, 'alive' where a staging goes on; else 1.
]]
--- @include "now"
--- @include "staged"

local head = redis.call('HMGET', KEYS[1], 'state', 'staging', 'stagingAt', 'now')
local state, staging = head[1], head[2]
local current = staged_prefix(state)

local function begin()
  if current then return state end
  if not staging then return '' end
  if string.byte(staging) == 45 then return staging end
  local time = math.max(now(), tonumber(head[4] or 0))
  if staging ~= ARGV[2] and time - tonumber(head[3]) < tonumber(ARGV[3]) then return 'alive' end
  redis.call('HSET', KEYS[1], 'staging', '-' .. staging)
  return '-' .. staging
end

local function piece()
  local living = staging and '!' .. staging .. ':'
  local gone, set, deleted = {}, {}, {}
  local fields = { unpack(ARGV, 2) }
  local values = redis.call('HMGET', KEYS[2], unpack(fields))
  for place = 1, #fields do
    local prefix, field = string.match(fields[place], '^(!%d+:)(.*)$')
    if values[place] and prefix ~= living then
      gone[#gone + 1] = fields[place]
      if prefix == current and values[place] ~= '' then
        set[#set + 1], set[#set + 2] = field, values[place]
      elseif prefix == current then
        deleted[#deleted + 1] = field
      end
    end
  end
  if #set > 0 then redis.call('HSET', KEYS[2], unpack(set)) end
  if #deleted > 0 then redis.call('HDEL', KEYS[2], unpack(deleted)) end
  if #gone > 0 then redis.call('HDEL', KEYS[2], unpack(gone)) end
  return 1
end

if ARGV[1] == 'begin' then return begin() end
if ARGV[1] == 'piece' then return piece() end
if state == ARGV[2] then redis.call('HSET', KEYS[1], 'state', 'open') end
if staging == ARGV[2] then redis.call('HDEL', KEYS[1], 'staging', 'stagingAt', 'stagingConflict', 'stagingSeats') end
return 1
