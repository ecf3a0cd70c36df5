-- Plans and pools, read once per call and quota. `pool_version` tells caps that were computed before a change.
local UNITS_MAX = 9000000000000000
local quotas = {}
local pool_version = 0

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
    end
    quotas[name] = quota
  end
  return quota or nil
end

local function extra_left(quota)
  return math.max(0, quota.extra)
end

-- What the org may consume of a quota in the present cycle: allowance + extra.
local function pool_of(quota)
  return math.min(quota.allowance + extra_left(quota), UNITS_MAX)
end

-- floor(pool * share / 10^7) without passing 2^53: divide first.
local function share_of(pool, share)
  local quotient = math.floor(pool / 10000000)
  local rest = pool - quotient * 10000000
  return quotient * share + math.floor(rest * share / 10000000)
end

-- Allowance is used before extra: what of `extra` is used, and what of it is held.
local function extra_taken(allowance, extra, consumed, held)
  local used = math.min(extra, math.max(0, consumed - allowance))
  local reached = math.min(extra, math.max(0, consumed + held - allowance))
  return used, reached - used
end
