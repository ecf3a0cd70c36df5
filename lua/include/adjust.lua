-- Corrections: an admin changes what a user consumed in the present cycle, whatever the limits say. Needs `members`,
-- `limit-counters`, `holds`, `reserve`.
local ADJUSTED = 6
local CORRECTED, BELOW_ZERO, TOO_LARGE = 1, 2, 3
local OWN_GROUPS = '*'

-- The first line that would go below 0, or past what can be counted, and which of both.
local function out_of_range(lines, units)
  for place = 0, #lines.shared do
    local line = lines.shared[place] or lines.own
    local consumed = line.consumed + units
    if consumed < 0 then return BELOW_ZERO, line end
    if consumed + line.held > UNITS_MAX then return TOO_LARGE, line end
  end
  return CORRECTED
end

local function groups_adjusted(user, listed)
  if listed == OWN_GROUPS then return all_groups_of(members[user] or 'i:', '') end
  return split(listed)
end

-- The correction at this place of ARGV: all lines of the charge, or none.
local function adjust(at)
  local user, parsed, listed, mark = ARGV[at + 1], parse_charges(ARGV[at + 3]), ARGV[at + 5], ARGV[at + 6]
  local item, groups = parsed.items[1], groups_adjusted(user, listed)
  local units = ARGV[at + 4] == '-' and -item.units or item.units
  local lines = lines_of(present, item.quota, user, groups)
  read_lines(present)
  local outcome, stopped = out_of_range(lines, units)
  if outcome == CORRECTED then
    move_lines(lines, units, 0, { user = user, action = parsed.action })
    local charged = item.quota .. '=' .. text(units)
    journal[#journal + 1] = table.concat({ head.now_text, user, groups.text, parsed.action, charged, '' }, '|')
    redis.call('XADD', KEYS[12], '*', 'e', ARGV[at + 7])
  end
  local scope, group = 0, ''
  if stopped then
    scope, group = SCOPE[stopped.letter], stopped.letter == 'g' and stopped.subject or ''
  end
  local org = lines.shared[#lines.shared]
  return { ADJUSTED, mark, outcome, groups.text, scope, group, lines.own.consumed, org.consumed }
end
