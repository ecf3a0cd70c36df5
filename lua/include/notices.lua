-- Notices: queued once per line, threshold and cap, in the call that crossed it. Needs `lines`.
local LETTER_SCOPE = { u = 'user', g = 'group', o = 'org' }

-- The marker names threshold and cap: a cap that was raised since arms the notice again, a refund does not.
local function queue_notice(line, threshold, cap)
  local key, marker = line.cycle.consumed_key, '!mark:' .. line.field
  local told, told_cap = string.match(redis.call('HGET', key, marker) or '0:0', '^(%d+):(%d+)$')
  if tonumber(told) >= threshold and tonumber(told_cap) >= cap then return end
  redis.call('HSET', key, marker, threshold .. ':' .. text(cap))
  local notice = table.concat({
    threshold, LETTER_SCOPE[line.letter], line.token, line.quota, line.action, line.user,
    text(cap), text(line.consumed), line.cycle.start, head.now,
  }, '|')
  redis.call('XADD', KEYS[9], '*', 'e', notice)
end

-- After all operations: which lines of the present cycle passed a threshold of their cap in this call.
local function note_crossings(thresholds)
  for _, line in ipairs(changed) do
    if line.cycle.present and line.consumed > line.before then
      local cap, mode = cap_of(line)
      local passed = 0
      if mode ~= 'n' and cap > 0 then
        for _, threshold in ipairs(thresholds) do
          local mark = cap * (threshold / 100)
          if line.before < mark and line.consumed >= mark then passed = math.max(passed, threshold) end
        end
      end
      if passed > 0 then queue_notice(line, passed, cap) end
    end
  end
end
