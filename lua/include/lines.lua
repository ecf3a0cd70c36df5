-- Counter lines within one call: each distinct field is read once, moved here, and written once at the end.
-- Needs `head`, `present`, `pool`. A cycle: { start, present, consumed_key, held_key, lines, any_held }.
local changed = {}
local line_count = 0
local SCOPE = { u = 1, g = 2, o = 3 }

local function new_line(cycle, quota, letter, token, field, consumed, held)
  consumed = tonumber(consumed or 0)
  local line = {
    cycle = cycle, quota = quota, letter = letter, token = token, field = field,
    consumed = consumed, held = tonumber(held or 0), before = consumed,
  }
  cycle.lines[field] = line
  line_count = line_count + 1
  return line
end

local function any_held(cycle)
  if cycle.any_held == nil then cycle.any_held = redis.call('EXISTS', cycle.held_key) == 1 end
  return cycle.any_held
end

local function line_in(cycle, quota, letter, token)
  local field = letter == 'o' and quota .. ':o' or quota .. ':' .. letter .. ':' .. token
  local line = cycle.lines[field]
  if line then return line end
  local held = any_held(cycle) and redis.call('HGET', cycle.held_key, field)
  return new_line(cycle, quota, letter, token, field, redis.call('HGET', cycle.consumed_key, field), held)
end

-- Reads many lines of a cycle at once, limits too. `wanted`: field -> { quota, letter, token }; `fields`: its keys in order.
local function read_lines(cycle, fields, wanted)
  for first = 1, #fields, 4000 do
    local last = math.min(first + 3999, #fields)
    local consumed = redis.call('HMGET', cycle.consumed_key, unpack(fields, first, last))
    local held = any_held(cycle) and redis.call('HMGET', cycle.held_key, unpack(fields, first, last))
    local limits = redis.call('HMGET', KEYS[2], unpack(fields, first, last))
    for index = first, last do
      local field, at = fields[index], index - first + 1
      local want = wanted[field]
      local line = new_line(cycle, want[1], want[2], want[3], field, consumed[at], held and held[at])
      line.limit = limits[at]
    end
  end
end

-- The lines a charge on `quota` moves, in the order in which they are judged: user, groups, org.
local function lines_of(cycle, quota, user, groups)
  local lines = { line_in(cycle, quota, 'u', user) }
  for index = 1, #groups do lines[index + 1] = line_in(cycle, quota, 'g', groups[index]) end
  lines[#lines + 1] = line_in(cycle, quota, 'o', '')
  return lines
end

-- Allowance and extra of an org line's cycle when it was closed; nil where there was no plan then.
local function closed_pool(line)
  local closed = redis.call('HGET', line.cycle.consumed_key, '!closed:' .. line.quota)
  if not closed then return nil end
  local allowance, extra = string.match(closed, '^(%d+):(%d+)$')
  return tonumber(allowance), tonumber(extra)
end

-- The pool of a closed cycle: its allowance, what it reached of the extra, and what of it is still nobody's.
local function closed_cap(line, quota, allowance, extra)
  local here = line_in(present, line.quota, 'o', '')
  local free = extra_left(quota) - quota.carry - math.max(0, here.consumed + here.held - quota.allowance)
  local used, carried = extra_taken(allowance, extra, line.consumed, line.held)
  local reach = math.max(0, math.min(extra, used + carried + free))
  return math.min(allowance + reach, UNITS_MAX), quota.mode, 0
end

local function find_cap(line)
  local quota = quota_of(line.quota)
  if line.letter == 'o' then
    if not quota then return UNITS_MAX, 'n', 0 end
    if not line.cycle.present then
      local allowance, extra = closed_pool(line)
      if allowance then return closed_cap(line, quota, allowance, extra) end
    end
    return pool_of(quota), quota.mode, math.min(math.max(0, quota.carry), extra_left(quota))
  end
  if line.limit == nil then line.limit = redis.call('HGET', KEYS[2], line.field) end
  if not line.limit then return UNITS_MAX, 'n', 0 end
  local plain = tonumber(line.limit)
  if plain then return math.min(plain, UNITS_MAX), 'h', 0 end
  local kind, amount, offset, mode, raise, till =
    string.match(line.limit, '^(%a);(%d+);(%d+);(%a);(%d+);(%d+)$')
  local cap = tonumber(amount)
  if kind == 'p' then
    local pool = quota and pool_of(quota) or 0
    cap = share_of(pool, offset + amount) - share_of(pool, tonumber(offset))
  end
  if head.now < tonumber(till) then cap = cap + raise end
  return math.min(cap, UNITS_MAX), mode, 0
end

-- limit; mode h (hard), s (soft), w (shadow), n (none); extra that holds of closed cycles may still take
local function cap_of(line)
  if line.cap_version ~= pool_version then
    line.cap, line.mode, line.carried = find_cap(line)
    -- A closed pool moves with every line that takes of the extra.
    if line.cycle.present or line.letter ~= 'o' then line.cap_version = pool_version end
  end
  return line.cap, line.mode, line.carried
end

-- What a closed cycle took of the extra, and what its holds may still take, follow its org line.
local function follow_closed(line, consumed, held)
  local allowance, extra = closed_pool(line)
  local quota = quota_of(line.quota)
  if not allowance or not quota then return end
  local used_before, carried_before = extra_taken(allowance, extra, line.consumed, line.held)
  local used, carried = extra_taken(allowance, extra, line.consumed + consumed, line.held + held)
  if used ~= used_before then
    quota.extra = quota.extra - (used - used_before)
    redis.call('HSET', KEYS[1], 'extra:' .. line.quota, quota.extra)
  end
  if carried ~= carried_before then
    quota.carry = quota.carry + (carried - carried_before)
    redis.call('HSET', KEYS[1], 'carry:' .. line.quota, quota.carry)
  end
  pool_version = pool_version + 1
end

-- Moves a line; `user` and `action` are who and what moved it: a notice names them.
local function move_line(line, consumed, held, user, action)
  if consumed == 0 and held == 0 then return end
  if line.letter == 'o' and not line.cycle.present then follow_closed(line, consumed, held) end
  if not line.changed then
    line.changed = true
    changed[#changed + 1] = line
  end
  line.user, line.action = user, action
  line.consumed = line.consumed + consumed
  line.held = line.held + held
  line.consumed_moved = line.consumed_moved or consumed ~= 0
  line.held_moved = line.held_moved or held ~= 0
end

local function write(command, key, args)
  for first = 1, #args, 4000 do
    redis.call(command, key, unpack(args, first, math.min(first + 3999, #args)))
  end
end

-- Writes every changed field once.
local function write_lines(cycles)
  for _, cycle in ipairs(cycles) do cycle.set_consumed, cycle.set_held, cycle.del_held = {}, {}, {} end
  for _, line in ipairs(changed) do
    if line.consumed_moved then
      local args = line.cycle.set_consumed
      args[#args + 1] = line.field
      args[#args + 1] = line.consumed
    end
    if line.held_moved then
      local args = line.held == 0 and line.cycle.del_held or line.cycle.set_held
      args[#args + 1] = line.field
      if line.held ~= 0 then args[#args + 1] = line.held end
    end
  end
  for _, cycle in ipairs(cycles) do
    write('HSET', cycle.consumed_key, cycle.set_consumed)
    write('HSET', cycle.held_key, cycle.set_held)
    write('HDEL', cycle.held_key, cycle.del_held)
  end
end
