-- Room on the lines of a charge: what every limit that applies says. Needs `lines`.

-- A charge of 0 units needs room for the smallest unit, and takes none.
-- hard: lines without room that refuse; lenient: those that are only told (soft pools, shadow limits), up to what can be
-- counted exactly.
-- Both are flat: index of the item, line, cap, held, …
local function judge(items, lines)
  local hard, lenient = {}, {}
  for index, item in ipairs(items) do
    local need = item.units == 0 and 1 or item.units
    for _, line in ipairs(lines[index]) do
      local cap, mode, carried = cap_of(line)
      local wanted = line.consumed + line.held + carried + need
      if wanted > cap then
        local refuses = mode == 'h' or mode == 'n' or wanted > UNITS_MAX
        if refuses and mode ~= 'h' then cap = UNITS_MAX end
        local list = refuses and hard or item.sign ~= '!' and lenient
        if list then list[#list + 1] = { index, line, cap, line.held + carried, line.consumed, item.units } end
      end
    end
  end
  return hard, lenient
end

-- Whether it would not fit even without the holds in flight.
local function is_spent(violation)
  return violation[5] + math.max(1, violation[6]) > violation[3]
end

-- Appends to a reply: the number of violations, then of each: item, scope, group, limit, consumed, held.
local function tell_violations(reply, violations)
  local at = #reply + 1
  reply[at] = #violations
  for _, violation in ipairs(violations) do
    local line = violation[2]
    reply[at + 1], reply[at + 2] = violation[1], SCOPE[line.letter]
    reply[at + 3] = line.letter == 'g' and line.token or ''
    reply[at + 4], reply[at + 5], reply[at + 6] = violation[3], violation[5], violation[4]
    at = at + 6
  end
end

-- Appends, per item: scope (0: no hard limit), limit and remaining of the hard limit with the least remaining.
local function tell_tightest(reply, items, lines)
  local at = #reply
  for index = 1, #items do
    local scope, limit, least = 0, 0, 0
    for _, line in ipairs(lines[index]) do
      local cap, mode, carried = cap_of(line)
      if mode == 'h' then
        local remaining = math.max(0, cap - line.consumed - line.held - carried)
        if scope == 0 or remaining < least then
          scope, limit, least = SCOPE[line.letter], cap, remaining
        end
      end
    end
    reply[at + 1], reply[at + 2], reply[at + 3] = scope, limit, least
    at = at + 3
  end
end
