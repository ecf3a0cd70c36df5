-- Notices: queued once per line, threshold and cap, in the call that crossed it. Needs `lines`.
local LETTER_SCOPE = { u = 'user', g = 'group', o = 'org' }

-- The marker names threshold and cap: a cap that was raised since arms the notice again, a refund does not.
local function queue_notice(line, threshold, cap, mover)
  local cycle, marker = line.shelf.cycle, '!mark:' .. line.field
  local told, told_cap = string.match(redis.call('HGET', cycle.consumed_key, marker) or '0:0', '^(%d+):(%d+)$')
  if tonumber(told) >= threshold and tonumber(told_cap) >= cap then return end
  redis.call('HSET', cycle.consumed_key, marker, threshold .. ':' .. text(cap))
  local notice = table.concat({
    threshold, LETTER_SCOPE[line.letter], line.token, line.shelf.quota, mover.action, mover.user,
    text(cap), text(line.consumed), cycle.start, head.now,
  }, '|')
  redis.call('XADD', KEYS[9], '*', 'e', notice)
end

-- After all operations: which lines of the present cycle passed a threshold of their cap in this call.
local function note_crossings(thresholds)
  local lowest = math.huge
  for _, threshold in ipairs(thresholds) do lowest = math.min(lowest, threshold / 100) end
  for index = 1, #changed do
    local line = changed[index]
    local before, consumed = line.before, line.consumed
    if consumed > before and line.shelf.cycle.present then
      if not line.room then room_of(line) end
      local cap, passed = line.cap, 0
      if consumed >= cap * lowest and cap > 0 and line.mode ~= 'n' then
        for _, threshold in ipairs(thresholds) do
          local mark = cap * (threshold / 100)
          if before < mark and consumed >= mark then passed = math.max(passed, threshold) end
        end
      end
      if passed > 0 then queue_notice(line, passed, cap, line.mover) end
    end
  end
end
