-- Room on the lines of a charge: what every limit that applies says. Needs `lines`.
local NOTHING = {}

local function with_violation(violations, index, item, line, cap)
  if violations == NOTHING then violations = {} end
  violations[#violations + 1] = { index, line, cap, line.held + line.carried, line.consumed, item.units }
  return violations
end

-- A charge of 0 units needs room for the smallest unit, and takes none.
-- hard: lines without room that refuse; lenient: those that are only told (soft pools, shadow limits), up to what can be
-- counted exactly. Of both each is { index of the item, line, cap, held, consumed, units }.
-- tight: per item scope (0: no hard limit), limit and remaining of the hard limit with the least remaining, flat.
local function judge(items, lines)
  local hard, lenient, tight = NOTHING, NOTHING, { 0, 0, 0, 0, 0, 0 }
  for index = 1, #items do
    local item, own, shared = items[index], lines[index].own, lines[index].shared
    local need = item.units == 0 and 1 or item.units
    local least, tightest = math.huge, nil
    for place = 0, #shared do
      local line = shared[place] or own
      local room = line.room or room_of(line)
      if room < need then
        local uncountable = room + UNITS_MAX - line.cap < need
        if line.mode == 'h' then hard = with_violation(hard, index, item, line, line.cap)
        elseif uncountable then hard = with_violation(hard, index, item, line, UNITS_MAX)
        elseif item.sign ~= '!' then lenient = with_violation(lenient, index, item, line, line.cap) end
        if room < 0 then room = 0 end
      end
      if room < least and line.mode == 'h' then least, tightest = room, line end
    end
    local at = 3 * index
    if tightest then tight[at - 2], tight[at - 1], tight[at] = SCOPE[tightest.letter], tightest.cap, least
    else tight[at - 2], tight[at - 1], tight[at] = 0, 0, 0 end
  end
  return hard, lenient, tight
end

-- Whether it would not fit even without the holds in flight.
local function is_spent(violation)
  return violation[5] + math.max(1, violation[6]) > violation[3]
end

-- A decision as it is told: status, groups, again, violations, and of each item the tightest hard limit.
local function decision(status, groups, again, violations, items, tight)
  if #violations == 0 then return { status, groups, again, 0, unpack(tight, 1, 3 * #items) } end
  local reply = { status, groups, again, #violations }
  for _, violation in ipairs(violations) do
    local line, last = violation[2], #reply
    reply[last + 1], reply[last + 2] = violation[1], SCOPE[line.letter]
    reply[last + 3] = line.letter == 'g' and line.token or ''
    reply[last + 4], reply[last + 5], reply[last + 6], reply[last + 7] = violation[3], violation[5], violation[4], violation[6]
  end
  local last = #reply
  for place = 1, 3 * #items do reply[last + place] = tight[place] end
  return reply
end
