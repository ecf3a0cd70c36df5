-- Plans and pools, read once per call and quota.
local UNITS_MAX = 9000000000000000
local PERCENT_WHOLE = 10000000
local quotas = {}

local function extra_left(quota) return math.max(0, quota.extra) end

-- pool: what the org may consume in the present cycle, allowance + extra; carried: the extra that holds of closed cycles may
-- still take; parts and rest: the pool divided for `share_of`.
local function fill_pool(quota)
  quota.pool = math.min(quota.allowance + extra_left(quota), UNITS_MAX)
  quota.carried = math.min(math.max(0, quota.carry), extra_left(quota))
  quota.parts = math.floor(quota.pool / PERCENT_WHOLE)
  quota.rest = quota.pool - quota.parts * PERCENT_WHOLE
end

-- nil: the org has no plan for the quota.
local function quota_of(name)
  local quota = quotas[name]
  if quota == nil then
    local values = redis.call('HMGET', KEYS[1], 'plan:' .. name, 'extra:' .. name, 'carry:' .. name)
    quota = false
    if values[1] then
      local allowance, mode = string.match(values[1], '^(%d+):(%a)$')
      quota = {
        name = name,
        allowance = tonumber(allowance),
        mode = mode,
        extra = tonumber(values[2] or 0),
        carry = tonumber(values[3] or 0),
      }
      fill_pool(quota)
    end
    quotas[name] = quota
  end
  return quota or nil
end

-- floor(pool * (offset + percent)) - floor(pool * offset), without passing 2^53: divided first.
local function share_of(quota, offset, percent)
  local share = quota.parts * percent
  local rest = quota.rest
  if rest == 0 then return share end
  return share + math.floor(rest * (offset + percent) / PERCENT_WHOLE) - math.floor(rest * offset / PERCENT_WHOLE)
end

-- Allowance is used before extra: what of `extra` is used, and what of it is held.
local function extra_taken(allowance, extra, consumed, held)
  local used = math.min(extra, math.max(0, consumed - allowance))
  local reached = math.min(extra, math.max(0, consumed + held - allowance))
  return used, reached - used
end
