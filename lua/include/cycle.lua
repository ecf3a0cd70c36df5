-- The cycle of an org: which one is present, and how the next one begins. Needs `head` and `pool`.

-- Plans that were set for the cycle that begins.
local function begin_plans(fields)
  for index = 1, #fields, 2 do
    local name = string.match(fields[index], '^next:(.+)$')
    if name then
      redis.call('HSET', KEYS[1], 'plan:' .. name, fields[index + 1])
      redis.call('HDEL', KEYS[1], fields[index])
      quotas[name] = nil
    end
  end
end

-- Closes the present cycle: what it used of the extra is taken off, what its holds may still take is carried.
local function roll(consumed_key, held_key, next_start, next_end)
  local fields = redis.call('HGETALL', KEYS[1])
  for index = 1, #fields, 2 do
    local name = string.match(fields[index], '^plan:(.+)$')
    if name then
      local quota = quota_of(name)
      local line = name .. ':o'
      local consumed = tonumber(redis.call('HGET', consumed_key, line) or 0)
      local held = tonumber(redis.call('HGET', held_key, line) or 0)
      local extra = extra_left(quota)
      local used, carried = extra_taken(quota.allowance, extra, consumed, held)
      if used > 0 then
        quota.extra = extra - used
        redis.call('HSET', KEYS[1], 'extra:' .. name, quota.extra)
      end
      if carried > 0 then
        quota.carry = quota.carry + carried
        redis.call('HSET', KEYS[1], 'carry:' .. name, quota.carry)
      end
      fill_pool(quota)
      redis.call('HSET', consumed_key, '!closed:' .. name, text(quota.allowance) .. ':' .. text(extra))
    end
  end
  begin_plans(fields)
  redis.call('HSET', KEYS[10], head.start, head.finish)
  redis.call('HSET', KEYS[1], 'prev', head.start, 'start', next_start, 'end', next_end)
  -- What was read before the roll must not be written after it.
  redis.call('HINCRBY', KEYS[1], 'version', 1)
  head.previous, head.start, head.finish = head.start, next_start, next_end
end

-- Whether the call's first cycle is the present one; rolls first where it is the successor of one that is over, by the
-- present rule, if the call names the closed cycle.
local function enter_cycle(asked, rule_version)
  local first = asked[1]
  if not first then return false end
  if head.now < head.finish then return first.start == head.start end
  if first.start < head.finish or first.start > head.now or head.now >= first.finish then return false end
  if rule_version ~= head.rule_version then return false end
  for _, cycle in ipairs(asked) do
    if cycle.start == head.start then
      roll(cycle.consumed_key, cycle.held_key, first.start, first.finish)
      return true
    end
  end
  return false
end
