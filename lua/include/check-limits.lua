-- Checks a charge against every limit that applies. Needs `limits`, `lines`.
local NOTHING = {}

local function with_violation(violations, index, item, line, cap)
  if violations == NOTHING then violations = {} end
  violations[#violations + 1] = { index, line, cap, line.held + line.carried, line.consumed, item.units }
  return violations
end

-- hard: exceeded limits that refuse; lenient: those that are only reported (soft pools, shadow limits), up to what can be
-- counted exactly. Of both each is { index of the item, line, cap, held, consumed, units }.
-- binding_limits: per item scope (0: no hard limit), limit and remaining of the hard limit with the least remaining, flat.
local function check_limits(items, lines)
  local hard, lenient, binding_limits = NOTHING, NOTHING, { 0, 0, 0, 0, 0, 0 }
  for index = 1, #items do
    local item, own, shared = items[index], lines[index].own, lines[index].shared
    local need = needed(item.units)
    local least, binding = math.huge, nil
    for place = 0, #shared do
      local line = shared[place] or own
      local remaining = line.remaining or remaining_of(line)
      if remaining < need then
        local outcome = verdict(line.mode, line.cap, remaining, need)
        if outcome == REFUSES then
          hard = with_violation(hard, index, item, line, line.cap)
        elseif outcome == UNCOUNTABLE then
          hard = with_violation(hard, index, item, line, UNITS_MAX)
        elseif item.sign ~= '!' then
          lenient = with_violation(lenient, index, item, line, line.cap)
        end
        if remaining < 0 then remaining = 0 end
      end
      if remaining < least and line.mode == 'h' then
        least, binding = remaining, line
      end
    end
    local at = 3 * index
    if binding then
      binding_limits[at - 2], binding_limits[at - 1], binding_limits[at] = SCOPE[binding.letter], binding.cap, least
    else
      binding_limits[at - 2], binding_limits[at - 1], binding_limits[at] = 0, 0, 0
    end
  end
  return hard, lenient, binding_limits
end

-- A decision as it is returned: status, groups, detail (admitted: 1 if duplicate; refused: place of the primary violation),
-- violations, and of each item the binding hard limit.
local function decision(status, groups, detail, violations, items, binding_limits)
  if #violations == 0 then return { status, groups, detail, 0, unpack(binding_limits, 1, 3 * #items) } end
  local reply = { status, groups, detail, #violations }
  for _, violation in ipairs(violations) do
    local line, last = violation[2], #reply
    reply[last + 1], reply[last + 2] = violation[1], SCOPE[line.letter]
    reply[last + 3] = line.letter == 'g' and line.subject or ''
    reply[last + 4], reply[last + 5], reply[last + 6], reply[last + 7] =
      violation[3], violation[5], violation[4], violation[6]
  end
  local last = #reply
  for place = 1, 3 * #items do
    reply[last + place] = binding_limits[place]
  end
  return reply
end
