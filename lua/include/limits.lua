-- What a limit allows. The one place where a cap is computed and where a charge that does not fit is judged; both paths of
-- `apply` use it. A plan: { name, allowance, extra, carry, mode, pool, carried, parts, rest }.
local UNITS_MAX = 9000000000000000
local PERCENT_WHOLE = 10000000

local function extra_left(plan) return plan.extra > 0 and plan.extra or 0 end

-- pool: what the org may consume in the present cycle, allowance + extra; carried: the extra that holds of closed cycles may
-- still take; parts and rest: the pool divided for `share_of`.
local function fill_pool(plan)
  local extra = extra_left(plan)
  local pool = plan.allowance + extra
  if pool > UNITS_MAX then pool = UNITS_MAX end
  local carry = plan.carry > 0 and plan.carry or 0
  plan.pool, plan.carried = pool, carry < extra and carry or extra
  local parts = math.floor(pool / PERCENT_WHOLE)
  plan.parts, plan.rest = parts, pool - parts * PERCENT_WHOLE
end

-- A plan from the fields `plan:`, `extra:` and `carry:` of the org.
local function plan_of(name, stored, extra, carry)
  local allowance, mode = string.match(stored, '^(%d+):(%a)$')
  local plan = {
    name = name,
    allowance = allowance + 0,
    mode = mode,
    extra = (extra or 0) + 0,
    carry = (carry or 0) + 0,
    pool = 0,
    carried = 0,
    parts = 0,
    rest = 0,
  }
  fill_pool(plan)
  return plan
end

-- floor(pool * (offset + percent)) - floor(pool * offset), without passing 2^53: divided first.
local function share_of(plan, offset, percent)
  local share, rest = plan.parts * percent, plan.rest
  if rest == 0 then return share end
  local upper, lower = rest * (offset + percent) / PERCENT_WHOLE, rest * offset / PERCENT_WHOLE
  return share + (upper - upper % 1) - (lower - lower % 1)
end

-- Cap, mode and carried of a user's or group's limit, or of the pool of the present cycle.
-- mode: h (hard), s (soft), w (shadow), n (none); carried: the extra that holds of closed cycles may still take.
local function cap_of(limit, plan, is_pool, time)
  if is_pool then
    if not plan then return UNITS_MAX, 'n', 0 end
    return plan.pool, plan.mode, plan.carried
  end
  if not limit then return UNITS_MAX, 'n', 0 end
  local cap = tonumber(limit)
  if cap then return cap < UNITS_MAX and cap or UNITS_MAX, 'h', 0 end
  -- Most limits have neither shadow nor raise: the pattern for all parts takes three times as long.
  local kind, amount, offset = string.match(limit, '^(%a);(%d+);(%d+);h;0;0$')
  local mode, raise, till = 'h', 0, '0'
  if not kind then
    kind, amount, offset, mode, raise, till = string.match(limit, '^(%a);(%d+);(%d+);(%a);(%d+);(%d+)$')
  end
  cap = amount + 0
  if kind == 'p' then cap = plan and share_of(plan, offset + 0, cap) or 0 end
  if till ~= '0' and time < till + 0 then cap = cap + raise end
  return cap < UNITS_MAX and cap or UNITS_MAX, mode, 0
end

-- A charge of 0 units needs the smallest unit to remain, and takes none.
local function needed(units) return units == 0 and 1 or units end

local REFUSES, REPORTED, UNCOUNTABLE = 1, 2, 3

-- What follows where less than needed remains. Soft pools and shadow limits refuse only where the count would stop to be exact.
local function verdict(mode, cap, remaining, need)
  if mode == 'h' then return REFUSES end
  return remaining + UNITS_MAX - cap < need and UNCOUNTABLE or REPORTED
end

-- Whether it would not fit even without the holds in flight.
local function is_spent(consumed, units, cap) return consumed + needed(units) > cap end
