-- Hold records, their expiry, and how a hold's lines are moved. Needs `hash-fields`, `lines`, `check-limits`, `cycles`, `journal`.
-- A record is read once in a call and written once, at the end or before due holds are sought.
-- A record: { open, ended, cycle, at, user, groups, action, key_id, model, items, expires }, an item: { quota, fixed, units, charged }.
-- `ended`: a tombstone whose request has ended, so that nothing is held for it again.
local TOMBSTONE_MS = 86400000
local EXPIRE_BEFORE_REFUSAL = 64
local none_due, expired, due_in = false, 0, 0
local overshoots = {}
-- By id; false where there is none.
local holds = {}
local changed_holds, is_changed, due_changed = {}, {}, false
local split_lists = {}

-- A list of groups, as `groups_of` gives it.
local function split(list)
  local known = split_lists[list]
  if known then return known end
  local parts = {}
  for part in string.gmatch(list, '[^,]+') do
    parts[#parts + 1] = part
  end
  known = { list = parts, text = list }
  split_lists[list] = known
  return known
end

-- The action of a hold as its record has it, with API key and model where one of them is known: earlier versions take all of it
-- for the action.
local function action_of(field)
  local action, key_id, model = string.match(field, '^([^#]*)#([^#]*)#(.*)$')
  if action then return action, key_id, model end
  return field, '', ''
end

-- What a journal line has after its mark: API key, model, and raw amounts where they differ from the units.
local function detail_of(key_id, model, raws)
  if raws ~= '' then return '|' .. key_id .. '|' .. model .. '|' .. raws end
  if model ~= '' then return '|' .. key_id .. '|' .. model end
  return key_id ~= '' and '|' .. key_id or ''
end

-- One that cannot be read counts as missing: it must not stop its org.
local function hold_in(record)
  local state, cycle, at, user, groups, action, items, expires =
    string.match(record, '^(%a)|(%d+)|(%d+)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(%d+)$')
  if not state then return nil end
  local plain_action, key_id, model = action_of(action)
  local hold = {
    open = state == 'o',
    ended = state == 'e',
    cycle = tonumber(cycle),
    at = at,
    user = user,
    groups = groups,
    action = plain_action,
    key_id = key_id,
    model = model,
    items = {},
    expires = tonumber(expires),
    lines = false,
  }
  for quota, kind, units, charged in string.gmatch(items, '([^:,]+):(%a):(%d+):(%d+)') do
    hold.items[#hold.items + 1] =
      { quota = quota, fixed = kind == 'f', units = tonumber(units), charged = tonumber(charged) }
  end
  local _, commas = string.gsub(items, ',', ',')
  if items ~= '' and #hold.items ~= commas + 1 then return nil end
  return hold
end

local function read_holds(ids)
  local unread, records = {}, {}
  for _, id in ipairs(ids) do
    if holds[id] == nil then
      holds[id], unread[#unread + 1] = false, id
    end
  end
  read_all(KEYS[5], unread, records)
  for _, id in ipairs(unread) do
    holds[id] = records[id] and hold_in(records[id]) or false
  end
end

local function read_hold(id)
  if holds[id] == nil then read_holds({ id }) end
  return holds[id] or nil
end

local function record_of(hold)
  local items = {}
  for index, item in ipairs(hold.items) do
    items[index] = item.quota .. (item.fixed and ':f:' or ':e:') .. text(item.units) .. ':' .. text(item.charged)
  end
  return table.concat({
    hold.open and 'o' or hold.ended and 'e' or 't',
    hold.cycle,
    hold.at,
    hold.user,
    hold.groups,
    (hold.key_id ~= '' or hold.model ~= '') and hold.action .. '#' .. hold.key_id .. '#' .. hold.model or hold.action,
    table.concat(items, ','),
    hold.expires,
  }, '|')
end

local function write_hold(id, hold)
  holds[id] = hold
  if not is_changed[id] then
    changed_holds[#changed_holds + 1], is_changed[id] = id, true
  end
end

local function drop_hold(id) write_hold(id, false) end

local function write_holds()
  local records, expiries, gone = {}, {}, {}
  for index = 1, #changed_holds do
    local id = changed_holds[index]
    local hold = holds[id]
    if hold then
      local last = #records
      records[last + 1], records[last + 2] = id, record_of(hold)
      expiries[last + 1], expiries[last + 2] = hold.expires, id
    else
      gone[#gone + 1] = id
    end
  end
  due_changed = due_changed or #changed_holds > 0
  changed_holds, is_changed = {}, {}
  write('HSET', KEYS[5], records)
  write('ZADD', KEYS[6], expiries)
  write('HDEL', KEYS[5], gone)
  write('ZREM', KEYS[6], gone)
end

-- When the first hold or tombstone is due, 'none' where there is none: the head has it, so that a decision need not look.
local function first_due()
  if head.due and not due_changed then return head.due end
  return redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2] or 'none'
end

local function cycle_of(start)
  for _, cycle in ipairs(cycles) do
    if cycle.start == start then return cycle end
  end
end

-- The lines of a hold's items, to be read by `read_lines`.
local function lines_of_hold(cycle, hold)
  if not hold.lines then
    local groups = split(hold.groups)
    hold.lines = {}
    for index, item in ipairs(hold.items) do
      hold.lines[index] = lines_of(cycle, item.quota, hold.user, groups)
    end
  end
  return hold.lines
end

-- Names the lines that change when these holds end.
local function name_lines(ids)
  for _, id in ipairs(ids) do
    local hold = holds[id]
    local cycle = hold and cycle_of(hold.cycle)
    if cycle then lines_of_hold(cycle, hold) end
  end
end

-- Moves a hold's lines by consumed[i], held[i] and journals what was charged or given back. Returns the lines per item.
-- `model` and `raws` of the answer, nil where they are not known: a raw amount is then the units.
local function move_hold(cycle, hold, consumed, held, estimated, model, raws)
  local lines, charged, read, has_raws = lines_of_hold(cycle, hold), {}, {}, false
  read_lines(cycle)
  for index, item in ipairs(hold.items) do
    if consumed[index] < 0 then consumed[index] = -units_on(lines[index], -consumed[index]) end
    move_lines(lines[index], consumed[index], held[index], hold)
    local raw = raws and raws[index] or nil
    if consumed[index] ~= 0 or raw and raw ~= 0 then
      local place = #charged + 1
      charged[place], read[place] = item.quota .. '=' .. text(consumed[index]), raw and text(raw) or ''
      has_raws = has_raws or raw ~= nil
    end
  end
  if #charged > 0 then
    journal[#journal + 1] = table.concat(
      { hold.at, hold.user, hold.groups, hold.action, table.concat(charged, ','), estimated and 'e' or '' },
      '|'
    ) .. detail_of(hold.key_id, model or hold.model, has_raws and table.concat(read, ',') or '')
  end
  return lines
end

-- How many of these units stand past a hard limit now.
local function past_limits(above, lines)
  local past = 0
  for place = 0, #lines.shared do
    local line = lines.shared[place] or lines.own
    local remaining = line.remaining or remaining_of(line)
    if line.mode == 'h' then past = math.max(past, math.min(above, -remaining)) end
  end
  return past
end

-- Units above the hold that stand past a hard limit now. A tombstone holds nothing: all that is charged now is above it.
local function overshoot_of(hold, item, units, lines)
  local above = units
  if hold.open then above = item.fixed and 0 or units - item.units end
  return above > 0 and past_limits(above, lines) or 0
end

-- Overshoots of the call, for its reply: '<quota>=<units>'.
local function note_overshoot(quota, units)
  if units > 0 then overshoots[#overshoots + 1] = quota .. '=' .. text(units) end
end

-- An expired hold is charged the progress of its last renewal and leaves a tombstone; a due tombstone goes.
local function expire(id)
  local hold = read_hold(id)
  -- Without its record there is nothing to do: it must not stand in the way of all calls.
  if not hold or not hold.open then
    drop_hold(id)
    return true
  end
  local cycle = cycle_of(hold.cycle)
  if not cycle then
    if due_in == 0 then due_in = hold.cycle end
    return false
  end
  local consumed, held = {}, {}
  for index, item in ipairs(hold.items) do
    consumed[index] = item.fixed and 0 or item.charged
    held[index] = item.fixed and 0 or -item.units
  end
  local lines = move_hold(cycle, hold, consumed, held, true)
  for index, item in ipairs(hold.items) do
    note_overshoot(item.quota, overshoot_of(hold, item, consumed[index], lines[index]))
  end
  hold.open, hold.expires = false, head.now + TOMBSTONE_MS
  write_hold(id, hold)
  return true
end

-- Expires at most `most` due holds; returns how many it dealt with.
local function expire_due(most)
  if none_due then return 0 end
  write_holds()
  local due = redis.call('ZRANGEBYSCORE', KEYS[6], '-inf', head.now, 'LIMIT', 0, most)
  read_holds(due)
  none_due = #due < most
  local done = 0
  for _, id in ipairs(due) do
    if expire(id) then done = done + 1 end
  end
  expired = expired + done
  return done
end

-- Checks the limits; before a refusal, expires due holds and checks again.
local function check_limits_after_expiry(items, lines)
  local hard, lenient, binding_limits = check_limits(items, lines)
  if #hard == 0 or expire_due(EXPIRE_BEFORE_REFUSAL) == 0 then return hard, lenient, binding_limits end
  return check_limits(items, lines)
end
