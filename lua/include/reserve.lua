-- The decision: is there room on every line, and if so, charge and hold them all.
-- Needs `members`, `pool`, `lines`, `room`, `notices`, `holds`, `journal`.
local ADMITTED, SPENT, HELD, DENIED = 0, 1, 2, 3
local parsed_charges = {}

-- '<action>;<quota><= fixed, ~ held, ! gate><units>,…'
local function parse_charges(charges)
  local known = parsed_charges[charges]
  if known then return known end
  local action, list = string.match(charges, '^([^;]*);(.*)$')
  known = { action = action, items = {} }
  for quota, sign, units in string.gmatch(list, '([^=~!,]+)([=~!])(%d+)') do
    known.items[#known.items + 1] = { quota = quota, sign = sign, units = tonumber(units) }
  end
  parsed_charges[charges] = known
  return known
end

local function admitted(items, lines, groups, lenient, again)
  local reply = { ADMITTED, groups, again }
  tell_violations(reply, lenient)
  tell_tightest(reply, items, lines)
  return reply
end

-- The first hard refusal of a line tells what reaching the limit would have told.
local function refused(items, lines, groups, violations, user, action)
  local status = HELD
  for _, violation in ipairs(violations) do
    if is_spent(violation) then
      status = SPENT
      local line = violation[2]
      line.user, line.action = user, action
      queue_notice(line, 100, violation[3])
    end
  end
  local reply = { status, groups, 0 }
  tell_violations(reply, violations)
  tell_tightest(reply, items, lines)
  return reply
end

local function leave_hold(id, ttl, user, groups, action, items)
  local hold = {
    open = true, cycle = present.start, at = head.now, user = user, groups = groups.text, action = action,
    items = {}, expires = head.now + ttl,
  }
  for _, item in ipairs(items) do
    if item.sign ~= '!' then
      local fixed = item.sign == '='
      hold.items[#hold.items + 1] =
        { quota = item.quota, fixed = fixed, units = item.units, charged = fixed and item.units or 0 }
    end
  end
  write_hold(id, hold)
end

local function charge(items, lines, user, groups, action)
  local charged = {}
  for index, item in ipairs(items) do
    if item.sign ~= '!' then
      local fixed = item.sign == '='
      if fixed then charged[#charged + 1] = item.quota .. '=' .. text(item.units) end
      for _, line in ipairs(lines[index]) do
        move_line(line, fixed and item.units or 0, fixed and 0 or item.units, user, action)
      end
    end
  end
  if #charged > 0 then
    journal[#journal + 1] =
      table.concat({ head.now, user, groups.text, action, table.concat(charged, ','), '' }, '|')
  end
end

-- Decides one reservation. Whatever it answers but `admitted` has moved no consumed, held or history figure.
local function reserve(who, claims, charges, hold_id, ttl)
  local user = holder_of(who)
  if not user then return { DENIED, INVALID_KEY } end
  local standing = hold_id ~= '' and read_hold(hold_id)
  if standing and not standing.open then return { DENIED, VOIDED } end
  local membership, why = admit_member(user)
  if not membership then return { DENIED, why } end
  local groups = groups_of(membership, claims)
  if not groups then return { DENIED, TOO_MANY_GROUPS } end
  local parsed = parse_charges(charges)
  local items, lines = parsed.items, {}
  for _, item in ipairs(items) do
    if not quota_of(item.quota) then return { DENIED, NO_PLAN } end
  end
  for index, item in ipairs(items) do lines[index] = lines_of(present, item.quota, user, groups.list) end
  local told = user == who and groups.text or user .. ';' .. groups.text
  if standing then return admitted(items, lines, told, {}, 1) end
  local hard, lenient = judge_after_expiry(items, lines)
  if #hard > 0 then return refused(items, lines, told, hard, user, parsed.action) end
  charge(items, lines, user, groups, parsed.action)
  if hold_id ~= '' then leave_hold(hold_id, tonumber(ttl), user, groups, parsed.action, items) end
  return admitted(items, lines, told, lenient, 0)
end

-- Reads all that the reservations of a call will need, each distinct field once. `list`: { user, claims, charges } each.
local function read_ahead(list)
  read_holders(list)
  for _, op in ipairs(list) do op[1] = holder_of(op[1]) or '' end
  local users, seen = {}, {}
  for _, op in ipairs(list) do
    if not seen[op[1]] then
      seen[op[1]] = true
      users[#users + 1] = op[1]
    end
  end
  read_members(users)
  local names, named = {}, {}
  for _, op in ipairs(list) do
    local record = members[op[1]]
    if record then collect_groups(string.sub(record, 3), names, named) end
    collect_groups(op[2], names, named)
  end
  read_groups(names)
  local fields, wanted = {}, {}
  local function want(quota, letter, token, field)
    if wanted[field] then return end
    wanted[field] = { quota, letter, token }
    fields[#fields + 1] = field
  end
  for _, op in ipairs(list) do
    local record = members[op[1]]
    local groups = groups_of(record and string.sub(record, 3) or '', op[2])
    for _, item in ipairs(parse_charges(op[3]).items) do
      local quota = item.quota
      want(quota, 'u', op[1], quota .. ':u:' .. op[1])
      for _, group in ipairs(groups and groups.list or {}) do want(quota, 'g', group, quota .. ':g:' .. group) end
      want(quota, 'o', '', quota .. ':o')
    end
  end
  read_lines(present, fields, wanted)
end
