-- Whether fields are what the caller read. ARGV from `at` on: a count, then per field its place in KEYS, its name, and '=<value>',
-- '' for absent, or '<<number>': it is at most that. Answers the place behind them in ARGV, false where one differs.
local function behind_expected(at)
  local last = at + 3 * ARGV[at]
  for place = at + 1, last, 3 do
    local stored = redis.call('HGET', KEYS[tonumber(ARGV[place])], ARGV[place + 1])
    local wanted = ARGV[place + 2]
    if string.byte(wanted) == 60 then
      if tonumber(stored or 0) > tonumber(string.sub(wanted, 2)) then return false end
    elseif (stored and '=' .. stored or '') ~= wanted then
      return false
    end
  end
  return last + 1
end
