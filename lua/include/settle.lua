-- What becomes of holds: settle, release, renew, refund; and charges that nobody decided on.
-- Needs `calls`, `holds`, `lines`, `remaining`, `members`, `reserve` (its status numbers).
local SETTLED, DONE = 4, 5
local RELEASED, RENEWED, REFUNDED, UNKNOWN_HOLD, EXPIRED_HOLD, OTHER_CYCLE, NONE, UNPROVEN, NOTED =
  1, 2, 3, 4, 5, 6, 7, 8, 9

local function numbers(list)
  local values = {}
  for value in string.gmatch(list, '%d+') do
    values[#values + 1] = tonumber(value)
  end
  return values
end

-- The tombstone of an id that was released before its reservation arrived: it names nobody.
local function never_ran(hold) return hold.user == '' end

-- Raw amounts by item, comma-separated; nothing where an item's are its units.
local function raws_in(list)
  local raws, last = {}, 0
  for raw in string.gmatch(list .. ',', '([^,]*),') do
    last = last + 1
    raws[last] = tonumber(raw)
  end
  return raws
end

-- `detail`: '<model>|<raw amounts>' of the answer, '' where it has none.
local function settle(id, list, estimated, detail)
  local hold = read_hold(id)
  if not hold or never_ran(hold) then return { DONE, UNKNOWN_HOLD } end
  local cycle = cycle_of(hold.cycle)
  if not cycle then return { DONE, OTHER_CYCLE } end
  local reported, units, consumed, held = numbers(list), {}, {}, {}
  local model, raw_list = string.match(detail, '^([^|]*)|(.*)$')
  local raws = model and raws_in(raw_list)
  for index, item in ipairs(hold.items) do
    local pending = hold.open and not item.fixed
    units[index] = item.fixed and item.units or reported[index] or item.units
    consumed[index] = units[index] - (pending and 0 or item.charged)
    held[index] = pending and -item.units or 0
    -- What a tombstone was charged is in the journal, with the same raw amount.
    if raws and raws[index] and not pending then raws[index] = raws[index] - item.charged end
  end
  local lines = move_hold(cycle, hold, consumed, held, estimated == 'e', model, raws)
  local reply = { SETTLED, hold.open and 0 or 1 }
  for index, item in ipairs(hold.items) do
    reply[index + 2] = overshoot_of(hold, item, consumed[index], lines[index])
    note_overshoot(item.quota, reply[index + 2])
    item.charged = units[index]
  end
  hold.ended = not hold.open
  if hold.open then
    drop_hold(id)
  else
    write_hold(id, hold)
  end
  return reply
end

-- Gives back everything; `keep` leaves a tombstone, also where the id is unknown.
local function release(id, keep)
  local hold = read_hold(id)
  if not hold then
    if keep == '' then return { DONE, UNKNOWN_HOLD } end
    write_hold(id, {
      open = false,
      cycle = 0,
      at = 0,
      user = '',
      groups = '',
      action = '',
      key_id = '',
      model = '',
      items = {},
      expires = head.now + TOMBSTONE_MS,
    })
    return { DONE, RELEASED }
  end
  if never_ran(hold) then return { DONE, RELEASED } end
  local cycle = cycle_of(hold.cycle)
  if not cycle then return { DONE, OTHER_CYCLE } end
  local consumed, held = {}, {}
  for index, item in ipairs(hold.items) do
    local pending = hold.open and not item.fixed
    consumed[index] = pending and 0 or -item.charged
    held[index] = pending and -item.units or 0
  end
  move_hold(cycle, hold, consumed, held, false)
  if hold.open and keep == '' then
    drop_hold(id)
    return { DONE, RELEASED }
  end
  for _, item in ipairs(hold.items) do
    item.charged = 0
  end
  if hold.open then hold.expires = head.now + TOMBSTONE_MS end
  hold.ended = hold.ended or keep == ''
  hold.open = false
  write_hold(id, hold)
  return { DONE, RELEASED }
end

-- An act of an admin leaves its entry in the same step.
local function release_by_hand(id, keep, audit)
  local result = release(id, keep)
  if audit ~= '' and result[2] == RELEASED then redis.call('XADD', KEYS[12], '*', 'e', audit) end
  return result
end

local function refused_more(hold, hard, items, binding_limits)
  local status, primary = HELD, 1
  for place, violation in ipairs(hard) do
    if status == HELD and is_spent(violation[5], violation[6], violation[3]) then
      status, primary = SPENT, place
    end
  end
  return decision(status, hold.groups, primary, hard, items, binding_limits)
end

local function asks_more(more)
  for _, units in ipairs(more) do
    if units > 0 then return true end
  end
  return false
end

-- An answer that asks for more after its hold is gone: what it asks for is held again in whole, if it fits beside
-- what it was charged so far; that comes back, for it is held now.
local function hold_again(id, hold, cycle, ttl, units, more)
  local asked, lines, groups, consumed, held = {}, {}, split(hold.groups), {}, {}
  for index, item in ipairs(hold.items) do
    local wanted, back = item.fixed and 0 or more[index] or 0, item.fixed and 0 or item.charged
    local whole = wanted > 0 and math.max(item.units, back) + wanted or back
    consumed[index], held[index] = -back, whole
    if wanted > 0 then
      asked[#asked + 1] = { quota = item.quota, sign = '~', units = whole - back }
      lines[#lines + 1] = lines_of(cycle, item.quota, hold.user, groups)
    end
  end
  -- Before the check: the tombstone may be due itself.
  hold.expires = head.now + TOMBSTONE_MS
  write_hold(id, hold)
  read_lines(cycle)
  local hard, _, binding_limits = check_limits_after_expiry(asked, lines)
  if #hard > 0 then return refused_more(hold, hard, asked, binding_limits) end
  move_hold(cycle, hold, consumed, held, true)
  for index, item in ipairs(hold.items) do
    if not item.fixed then
      item.units, item.charged = held[index], units[index] or item.charged
    end
  end
  hold.open, hold.expires = true, head.now + ttl
  write_hold(id, hold)
  return { DONE, RENEWED }
end

-- Extends a hold, notes its progress, and holds more units if all of them fit.
local function renew(id, ttl, progress, more_list)
  local hold = read_hold(id)
  if not hold then return { DONE, UNKNOWN_HOLD } end
  local units, more = numbers(progress), numbers(more_list)
  local again = not hold.open and not hold.ended and not never_ran(hold) and asks_more(more)
  if not hold.open and not again then return { DONE, EXPIRED_HOLD } end
  local cycle = cycle_of(hold.cycle)
  if not cycle then return { DONE, OTHER_CYCLE } end
  if again then return hold_again(id, hold, cycle, tonumber(ttl), units, more) end
  local asked, lines, groups = {}, {}, split(hold.groups)
  for index, item in ipairs(hold.items) do
    local wanted = not item.fixed and more[index] or 0
    if wanted > 0 then
      asked[#asked + 1] = { quota = item.quota, sign = '~', units = wanted, item = item }
      lines[#lines + 1] = lines_of(cycle, item.quota, hold.user, groups)
    end
    if not item.fixed then item.charged = units[index] or item.charged end
  end
  -- Before remaining is sought: it may be due itself, and what is due expires then.
  hold.expires = head.now + tonumber(ttl)
  write_hold(id, hold)
  if #asked == 0 then return { DONE, RENEWED } end
  read_lines(cycle)
  local hard, _, binding_limits = check_limits_after_expiry(asked, lines)
  if #hard > 0 then return refused_more(hold, hard, asked, binding_limits) end
  for index, ask in ipairs(asked) do
    move_lines(lines[index], 0, ask.units, hold)
    ask.item.units = ask.item.units + ask.units
  end
  write_hold(id, hold)
  return { DONE, RENEWED }
end

-- Gives back the fixed costs of an admission that left no hold, where the org has the call that admitted.
local function refund(place)
  local user, group_list, charges, at = ARGV[place + 1], ARGV[place + 2], ARGV[place + 3], ARGV[place + 5]
  local cycle = cycle_of(tonumber(ARGV[place + 4]))
  if not cycle then return { DONE, OTHER_CYCLE } end
  if not has_run(ARGV[place + 6]) then return { DONE, UNPROVEN } end
  local parsed, groups, back, lines = parse_charges(charges), split(group_list), {}, {}
  for index, item in ipairs(parsed.items) do
    if item.sign == '=' then lines[index] = lines_of(cycle, item.quota, user, groups) end
  end
  read_lines(cycle)
  local actor = { user = user, action = parsed.action }
  for index, item in ipairs(parsed.items) do
    if item.sign == '=' then
      local units = units_on(lines[index], item.units)
      back[#back + 1] = item.quota .. '=' .. text(-units)
      move_lines(lines[index], -units, 0, actor)
    end
  end
  if #back > 0 then
    journal[#journal + 1] = table.concat({ at, user, group_list, parsed.action, table.concat(back, ','), '' }, '|')
      .. detail_of(ARGV[place + 7], parsed.model, '')
  end
  return { DONE, REFUNDED }
end

-- The latest cycle of the call that had begun by then; the present one where none had.
local function cycle_begun_by(at)
  if at >= present.start then return present end
  local found
  for _, cycle in ipairs(cycles) do
    if cycle.start <= at and not (found and found.start > cycle.start) then found = cycle end
  end
  return found or present
end

-- The groups that a charge which cannot be refused goes to: of too many, as many as fit.
local function groups_charged(user, claims)
  local record = members[user]
  record = admit_member(user) or record or 'i:'
  local groups = groups_of(record, claims)
  if groups then return groups end
  local all = all_groups_of(record, claims).list
  return { list = { unpack(all, 1, GROUPS_MAX) }, text = table.concat(all, ',', 1, GROUPS_MAX) }
end

-- The time within the cycle that is nearest to `at`: history and counters are to say the same.
local function time_in(cycle, at)
  local finish = not cycle.present and tonumber(redis.call('HGET', KEYS[10], cycle.start))
  return math.max(cycle.start, math.min(at, finish and finish - 1 or head.now))
end

-- Charges what was served while no decision could be had.
local function charge_served(place)
  local user, claims, charges = ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  local at, estimated, key_id, raws = ARGV[place + 4], ARGV[place + 5], ARGV[place + 6], ARGV[place + 7]
  at = tonumber(at)
  local cycle, groups, parsed = cycle_begun_by(at), groups_charged(user, claims), parse_charges(charges)
  at = time_in(cycle, at)
  local charged, reply, lines, actor = {}, { SETTLED, 1 }, {}, { user = user, action = parsed.action }
  for index, item in ipairs(parsed.items) do
    lines[index] = lines_of(cycle, item.quota, user, groups)
  end
  read_lines(cycle)
  for index, item in ipairs(parsed.items) do
    move_lines(lines[index], item.units, 0, actor)
    charged[index] = item.quota .. '=' .. text(item.units)
    reply[index + 2] = past_limits(item.units, lines[index])
  end
  journal[#journal + 1] = table.concat(
    { text(at), user, groups.text, parsed.action, table.concat(charged, ','), estimated },
    '|'
  ) .. detail_of(key_id, parsed.model, raws)
  return reply
end

-- Requests that gateways refused, counted there: lines of the journal.
local function note_refusals(lines)
  journal[#journal + 1] = lines
  return { DONE, NOTED }
end
