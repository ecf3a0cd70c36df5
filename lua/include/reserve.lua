-- The decision: checks every line, and if all fit, charges and holds them all.
-- Needs `members`, `pool`, `lines`, `remaining`, `notices`, `holds`, `journal`, `grants`.
local ADMITTED, SPENT, HELD, DENIED = 0, 1, 2, 3
local parsed_charges = {}
-- By place in ARGV: { user (nil: an invalid key), lines by item }.
local reservations = {}

-- '<action>;<quota><= fixed, ~ held, ! gate><units>,…[;<model>]', held also '~<units>:<least>'; `fixed`: the fixed ones as the journal has
-- them; `least`: the items at their least, false where none has one.
local function parse_charges(charges)
  local known = parsed_charges[charges]
  if known then return known end
  local action, list, model = string.match(charges, '^([^;]*);([^;]*);?(.*)$')
  local items, fixed, has_least = {}, {}, false
  for quota, sign, units, least in string.gmatch(list, '([^=~!,]+)([=~!])(%d+):?(%d*)') do
    local amount = tonumber(units)
    items[#items + 1] = charge_item(quota, sign, amount, tonumber(least))
    if least ~= '' then has_least = true end
    if sign == '=' then fixed[#fixed + 1] = quota .. '=' .. text(amount) end
  end
  known = {
    action = action,
    model = model,
    items = items,
    fixed = table.concat(fixed, ','),
    least = has_least and least_of(items),
  }
  parsed_charges[charges] = known
  return known
end

local function has_plans(parsed)
  if parsed.planned == nil then
    parsed.planned = true
    for _, item in ipairs(parsed.items) do
      parsed.planned = parsed.planned and quota_of(item.quota) ~= nil
    end
  end
  return parsed.planned
end

-- The first hard refusal of a line has a notice of its own.
local function refused(items, named_groups, violations, binding_limits, actor)
  local status, primary = HELD, 1
  for place, violation in ipairs(violations) do
    if is_spent(violation[5], violation[6], violation[3]) then
      if status == HELD then
        status, primary = SPENT, place
      end
      note_refusal(violation[2], violation[3], violation[6], actor)
    end
  end
  return decision(status, named_groups, primary, violations, items, binding_limits)
end

local function leave_hold(id, ttl, actor, groups, items)
  local hold = {
    open = true,
    cycle = present.start,
    at = head.now,
    user = actor.user,
    groups = groups.text,
    action = actor.action,
    key_id = actor.key_id,
    model = actor.model,
    items = {},
    expires = head.now + ttl,
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

-- Charges and holds; what remains on the binding limits goes down by as much.
local function charge(parsed, items, lines, binding_limits, groups, actor)
  for index = 1, #items do
    local item, at = items[index], 3 * index
    move_lines(lines[index], item.consumed, item.held, actor)
    if binding_limits[at - 2] ~= 0 then binding_limits[at] = binding_limits[at] - item.units end
  end
  if parsed.fixed ~= '' then
    journal[#journal + 1] = head.now_text
      .. '|'
      .. actor.user
      .. '|'
      .. groups.text
      .. '|'
      .. parsed.action
      .. '|'
      .. parsed.fixed
      .. '|'
      .. detail_of(actor.key_id, actor.model, '')
  end
end

-- Checks the limits for a charge with a least and a most. Answers what `check_limits` does, after the items as granted.
local function check_between(parsed, lines)
  local hard, lenient, binding_limits = check_limits_after_expiry(parsed.items, lines)
  if #hard == 0 or not parsed.least then return parsed.items, hard, lenient, binding_limits end
  hard, lenient, binding_limits = check_limits(parsed.least, lines)
  if #hard > 0 then return parsed.least, hard, lenient, binding_limits end
  local granted = granted_items(parsed.items, lines)
  return granted, check_limits(granted, lines)
end

-- Adds what was granted to the answer of a reservation that has a least. `items`: with the units of each, gates as they were asked.
local function with_granted(reply, parsed, items)
  if not parsed.least then return reply end
  for _, item in ipairs(items) do
    reply[#reply + 1] = item.units
  end
  return reply
end

-- What a hold has of these items.
local function held_of(items, hold)
  local found, place = {}, 0
  for index, item in ipairs(items) do
    found[index] = item
    if item.sign ~= '!' then
      place = place + 1
      found[index] = hold.items[place] or item
    end
  end
  return found
end

-- Decides the reservation at this place of ARGV. Whatever it answers but `admitted` has moved no consumed, held or history
-- figure.
local function reserve(at)
  local user, lines, hold_id = reservations[at].user, reservations[at].lines, ARGV[at + 4]
  if not user then return { DENIED, INVALID_KEY } end
  local standing = hold_id ~= '' and read_hold(hold_id)
  if standing and not standing.open then return { DENIED, VOIDED } end
  local parsed = parse_charges(ARGV[at + 3])
  local items = parsed.items
  local record, why = admit_member(user, #items == 0)
  if not record then return { DENIED, why } end
  local unknown = unknown_claims(ARGV[at + 2])
  if unknown then return { DENIED, UNKNOWN_GROUP, unknown } end
  local groups = groups_of(record, ARGV[at + 2])
  if not groups then return { DENIED, TOO_MANY_GROUPS } end
  if not has_plans(parsed) then return { DENIED, NO_PLAN } end
  local named_groups = user == ARGV[at + 1] and groups.text or user .. ';' .. groups.text
  if standing then
    local _, _, binding_limits = check_limits(items, lines)
    local reply = decision(ADMITTED, named_groups, 1, NOTHING, items, binding_limits)
    return with_granted(reply, parsed, held_of(items, standing))
  end
  local key_id = user ~= ARGV[at + 1] and string.match(ARGV[at + 1], '^#([^:]*):') or ''
  local actor = { user = user, action = parsed.action, key_id = key_id, model = parsed.model }
  local granted, hard, lenient, binding_limits = check_between(parsed, lines)
  if #hard > 0 then return refused(items, named_groups, hard, binding_limits, actor) end
  charge(parsed, granted, lines, binding_limits, groups, actor)
  if hold_id ~= '' then leave_hold(hold_id, tonumber(ARGV[at + 5]), actor, groups, granted) end
  return with_granted(decision(ADMITTED, named_groups, 0, lenient, items, binding_limits), parsed, granted)
end

-- Who the reservations at these places of ARGV are for, and their records.
local function read_users(places)
  local named, users = {}, {}
  for index = 1, #places do
    named[index] = ARGV[places[index] + 1]
  end
  read_holders(named)
  for index = 1, #named do
    local user = holder_of(named[index])
    reservations[places[index]] = { user = user, lines = false }
    if user and members[user] == nil then
      members[user], users[#users + 1] = false, user
    end
  end
  read_directory(KEYS[3], users, members)
end

-- The groups of all memberships and claims, each once.
local function name_groups(places)
  local names = {}
  for index = 1, #places do
    local at = places[index]
    local record, claims = members[reservations[at].user], ARGV[at + 2]
    if record and not memberships[record] then
      for _, name in ipairs(membership_of(record).names) do
        if generations[name] == nil then
          generations[name], names[#names + 1] = false, name
        end
      end
    end
    if claims ~= '' then
      for name in string.gmatch(claims, CLAIM) do
        if generations[name] == nil then
          generations[name], names[#names + 1] = false, name
        end
      end
    end
  end
  return names
end

-- Reads all that the reservations at these places of ARGV will need, each distinct field once.
local function read_ahead(places)
  read_users(places)
  read_groups(name_groups(places))
  for index = 1, #places do
    local at = places[index]
    local user = reservations[at].user
    local groups = user and groups_of(members[user] or 'i:', ARGV[at + 2])
    if groups then
      local items, lines = parse_charges(ARGV[at + 3]).items, { nil, nil }
      for place = 1, #items do
        lines[place] = lines_of(present, items[place].quota, user, groups)
      end
      reservations[at].lines = lines
    end
  end
  read_lines(present)
end
