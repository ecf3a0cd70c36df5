-- Notices: each threshold of what is consumed, and the first hard refusal, are queued once per line and cap, in the call that
-- met it. Needs `lines`.
local LETTER_SCOPE = { u = 'user', g = 'group', o = 'org' }

local function queue_notice(line, what, cap, actor, more)
  local notice = table.concat({
    what,
    LETTER_SCOPE[line.letter],
    line.subject,
    line.quota_counters.quota,
    actor.action,
    actor.user,
    text(cap),
    text(line.consumed),
    line.quota_counters.cycle.start,
    head.now,
    more,
  }, '|')
  redis.call('XADD', KEYS[9], '*', 'e', notice)
end

-- Both markers name the cap: one that was raised since arms the notice again, a refund does not.
local function note_threshold(line, threshold, cap)
  local key, marker = line.quota_counters.cycle.consumed_key, '!mark:' .. line.field
  local highest, marked_cap = string.match(redis.call('HGET', key, marker) or '0:0', '^(%d+):(%d+)$')
  if tonumber(highest) >= threshold and tonumber(marked_cap) >= cap then return end
  redis.call('HSET', key, marker, threshold .. ':' .. text(cap))
  queue_notice(line, threshold, cap, line.actor)
end

local function note_refusal(line, cap, requested, actor)
  local key, marker = line.quota_counters.cycle.consumed_key, '!refused:' .. line.field
  local marked_cap = redis.call('HGET', key, marker)
  if marked_cap and tonumber(marked_cap) >= cap then return end
  redis.call('HSET', key, marker, text(cap))
  queue_notice(line, 'refused', cap, actor, text(requested))
end

-- Percents at which users, groups and the org have notices: '<users>;<groups>;<org>', each ascending, or one list for all three.
local function threshold_lists(stored)
  local users, groups, org = string.match(stored, '^([^;]*);([^;]*);([^;]*)$')
  return users or stored, groups or stored, org or stored
end

-- After all operations: which thresholds of their cap lines of the present cycle passed in this call.
-- thresholds: lists by the letter of the scope, ascending.
local function note_crossings(thresholds)
  for index = 1, #changed do
    local line = changed[index]
    local before, consumed = line.before, line.consumed
    if consumed > before and line.quota_counters.cycle.present then
      if not line.remaining then remaining_of(line) end
      local cap, list = line.cap, thresholds[line.letter]
      if consumed >= cap * ((list[1] or math.huge) / 100) and cap > 0 and line.mode ~= 'n' then
        for _, threshold in ipairs(list) do
          local mark = cap * (threshold / 100)
          if before < mark and consumed >= mark then note_threshold(line, threshold, cap) end
        end
      end
    end
  end
end
