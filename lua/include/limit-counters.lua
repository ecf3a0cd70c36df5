-- Counter lines within one call: each distinct field is read once, moved here, and written once at the end.
-- Needs `head`, `present`, `limits`, `pool`, `text`, `put-staged`, `hash-fields`, `force_hashtable`. A cycle: { start, present, consumed_key, held_key, by_quota, lines, lines_read, any_held }.
-- Most of a call's time is spent on lines: loops over them are plain, and call no function that they can do without.
local SCOPE = { u = 1, g = 2, o = 3 }
local changed = {}
-- Moves that would have taken a counter below 0.
local clipped = 0

-- A table that grows is copied: all fields of a line stand here from the start, and lists of few begin with remaining for some.
local function new_line(quota_counters, letter, subject, field)
  local line = {
    quota_counters = quota_counters,
    letter = letter,
    subject = subject,
    field = field,
    consumed = 0,
    before = 0,
    held = 0,
    limit = false,
    cap = 0,
    mode = '',
    carried = 0,
    remaining = false,
    actor = false,
    consumed_moved = false,
    held_moved = false,
  }
  local lines = quota_counters.cycle.lines
  lines[#lines + 1] = line
  quota_counters[letter][subject] = line
  return line
end

-- The lines of one quota in a cycle, by letter and subject.
local function quota_counters_of(cycle, quota)
  local quota_counters = cycle.by_quota[quota]
  if not quota_counters then
    quota_counters = {
      cycle = cycle,
      quota = quota,
      plan = quota_of(quota),
      u = {},
      g = {},
      o = {},
      shared = {},
      user_field = quota .. ':u:',
      group_field = quota .. ':g:',
    }
    cycle.by_quota[quota] = quota_counters
  end
  return quota_counters
end

local function org_line(quota_counters)
  return quota_counters.o[''] or new_line(quota_counters, 'o', '', quota_counters.quota .. ':o')
end

-- The lines that a charge on `quota` moves, in the order of the check: the user's own, and one list for all
-- users in the same groups, with the groups' lines and the org's. To be read by `read_lines` before they are used.
local function lines_of(cycle, quota, user, groups)
  local quota_counters = cycle.by_quota[quota] or quota_counters_of(cycle, quota)
  local shared = quota_counters.shared[groups.text]
  if not shared then
    shared = { nil, nil, nil, nil, nil }
    local list, lines, prefix = groups.list, quota_counters.g, quota_counters.group_field
    for index = 1, #list do
      local group = list[index]
      shared[index] = lines[group] or new_line(quota_counters, 'g', group, prefix .. group)
    end
    shared[#shared + 1] = org_line(quota_counters)
    quota_counters.shared[groups.text] = shared
  end
  return {
    own = quota_counters.u[user] or new_line(quota_counters, 'u', user, quota_counters.user_field .. user),
    shared = shared,
  }
end

local function any_held(cycle)
  if cycle.any_held == nil then cycle.any_held = redis.call('EXISTS', cycle.held_key) == 1 end
  return cycle.any_held
end

-- Reads the lines that were named since the last time, their limits too. `unpack` fails near 8,000 values.
local function read_lines(cycle)
  local lines = cycle.lines
  for before = cycle.lines_read, #lines - 1, 4000 do
    local fields = {}
    for at = 1, math.min(4000, #lines - before) do
      fields[at] = lines[before + at].field
    end
    local consumed = redis.call('HMGET', cycle.consumed_key, unpack(fields))
    local held = any_held(cycle) and redis.call('HMGET', cycle.held_key, unpack(fields))
    local limits = redis.call('HMGET', KEYS[2], unpack(fields))
    if head.staged then put_staged(head.staged, KEYS[2], fields, limits) end
    for at = 1, #fields do
      local line = lines[before + at]
      if consumed[at] then
        -- `+ 0` makes a number of it in one step; tonumber() parses twice.
        local units = consumed[at] + 0
        line.consumed, line.before = units, units
      end
      if held and held[at] then line.held = held[at] + 0 end
      line.limit = limits[at]
    end
  end
  cycle.lines_read = #lines
end

-- Allowance and extra of an org line's cycle when it was closed; nil where there was no plan then.
local function closed_pool(line)
  local quota_counters = line.quota_counters
  local closed = redis.call('HGET', quota_counters.cycle.consumed_key, '!closed:' .. quota_counters.quota)
  if not closed then return nil end
  local allowance, extra = string.match(closed, '^(%d+):(%d+)$')
  return tonumber(allowance), tonumber(extra)
end

-- The pool of a closed cycle: its allowance, what it reached of the extra, and what of it is still nobody's.
local function closed_cap(line, plan, allowance, extra)
  local here = org_line(quota_counters_of(present, line.quota_counters.quota))
  read_lines(present)
  local free = extra_left(plan) - plan.carry - math.max(0, here.consumed + here.held - plan.allowance)
  local used, carried = extra_taken(allowance, extra, line.consumed, line.held)
  local reach = math.max(0, math.min(extra, used + carried + free))
  return math.min(allowance + reach, UNITS_MAX), plan.mode, 0
end

-- The pool of a closed cycle is what it was when the cycle closed.
local function find_cap(line)
  local plan = line.quota_counters.plan
  if line.letter == 'o' and plan and not line.quota_counters.cycle.present then
    local allowance, extra = closed_pool(line)
    if allowance then return closed_cap(line, plan, allowance, extra) end
  end
  return cap_of(line.limit, plan, line.letter == 'o', head.now)
end

-- Fills in cap, mode and carried of a line, and answers its remaining. To be called where `remaining` is false.
local function remaining_of(line)
  local cap, mode, carried = find_cap(line)
  local remaining = cap - line.consumed - line.held - carried
  line.cap, line.mode, line.carried = cap, mode, carried
  -- The pool of a closed cycle moves with every line that takes of the extra.
  if line.letter ~= 'o' or line.quota_counters.cycle.present then line.remaining = remaining end
  return remaining
end

local function forget_remaining()
  for _, cycle in ipairs(cycles) do
    for _, line in ipairs(cycle.lines) do
      line.remaining = false
    end
  end
end

-- What a closed cycle took of the extra, and what its holds may still take, follow its org line.
local function follow_closed(line, consumed, held)
  local name, plan = line.quota_counters.quota, line.quota_counters.plan
  local allowance, extra = closed_pool(line)
  if not allowance or not plan then return end
  local used_before, carried_before = extra_taken(allowance, extra, line.consumed, line.held)
  local used, carried = extra_taken(allowance, extra, line.consumed + consumed, math.max(0, line.held + held))
  local there = extra_left(plan)
  if used - used_before > there then
    -- What is not there any more is overshoot, and is not given back either: the cycle reaches no further.
    used, carried = used_before + there, 0
    local closed = text(allowance) .. ':' .. text(used)
    redis.call('HSET', line.quota_counters.cycle.consumed_key, '!closed:' .. name, closed)
  end
  if used ~= used_before then
    plan.extra = plan.extra - (used - used_before)
    redis.call('HSET', KEYS[1], 'extra:' .. name, plan.extra)
  end
  if carried ~= carried_before then
    plan.carry = plan.carry + (carried - carried_before)
    redis.call('HSET', KEYS[1], 'carry:' .. name, plan.carry)
  end
  fill_pool(plan)
  forget_remaining()
end

-- How many of these units can be taken off all lines of a charge.
local function units_on(lines, units)
  local least = lines.own.consumed
  for index = 1, #lines.shared do
    least = math.min(least, lines.shared[index].consumed)
  end
  if least >= units then return units end
  clipped = clipped + 1
  return math.max(0, least)
end

-- Moves the lines of a charge; `actor` has user and action, who and what moved them: a notice names both.
local function move_lines(lines, consumed, held, actor)
  if consumed == 0 and held == 0 then return end
  local own, shared = lines.own, lines.shared
  if not own.quota_counters.cycle.present then follow_closed(shared[#shared], consumed, held) end
  local taken = consumed + held
  for place = 0, #shared do
    local line = shared[place] or own
    if not line.actor then changed[#changed + 1] = line end
    line.actor = actor
    if consumed ~= 0 then
      line.consumed, line.consumed_moved = line.consumed + consumed, true
    end
    if line.remaining then line.remaining = line.remaining - taken end
    if held ~= 0 then
      line.held, line.held_moved = line.held + held, true
      if line.held < 0 then
        line.held, line.remaining, clipped = 0, false, clipped + 1
      end
    end
  end
end

-- Writes every changed field once.
local function write_lines()
  for _, cycle in ipairs(cycles) do
    cycle.set_consumed, cycle.set_held, cycle.del_held = {}, {}, {}
  end
  for index = 1, #changed do
    local line = changed[index]
    local cycle = line.quota_counters.cycle
    if line.consumed_moved then
      local args = cycle.set_consumed
      local last = #args
      args[last + 1], args[last + 2] = line.field, text(line.consumed)
    end
    if line.held_moved then
      local args = line.held == 0 and cycle.del_held or cycle.set_held
      args[#args + 1] = line.field
      if line.held ~= 0 then args[#args + 1] = text(line.held) end
    end
  end
  for _, cycle in ipairs(cycles) do
    if write('HSET', cycle.consumed_key, cycle.set_consumed) > 0 then force_hashtable(cycle.consumed_key) end
    if write('HSET', cycle.held_key, cycle.set_held) > 0 then force_hashtable(cycle.held_key) end
    write('HDEL', cycle.held_key, cycle.del_held)
  end
end
