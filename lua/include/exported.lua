-- The journal's end: what is in the history, and what every target of the export has. A target's text in `exports` begins with
-- '<the last entry that it has>|<entries that it lost>|'.

-- Ids are '<ms>-<sequence>'; '' is before all.
local function is_before(one, other)
  local ms, sequence = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_sequence = string.match(other, '^(%d+)-(%d+)$')
  if not ms or not other_ms then return not ms and other_ms ~= nil end
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms < other_ms or ms == other_ms and tonumber(sequence) < tonumber(other_sequence)
end

local function last_of(text) return string.match(text, '^[^|]*') end

-- Entries at once: below 2 ms of the store's time.
local TRIMMED_MOST = 1000

-- Deletes entries up to `fold`, the last one in the history, that no target lacks. What one call leaves, a later one deletes.
local function trim_exported(journal_key, exports_key, fold)
  local last = fold
  local states = redis.call('HGETALL', exports_key)
  for at = 2, #states, 2 do
    local own = last_of(states[at])
    if is_before(own, last) then last = own end
  end
  if last == '' then return 0 end
  local ms, sequence = string.match(last, '^(%d+)-(%d+)$')
  local first_kept = ms .. '-' .. string.format('%.0f', sequence + 1)
  -- First whole nodes of the stream; unless many are left, then the part of a node.
  local trimmed = redis.call('XTRIM', journal_key, 'MINID', '~', first_kept, 'LIMIT', TRIMMED_MOST)
  if trimmed > TRIMMED_MOST / 2 then return trimmed end
  return trimmed + redis.call('XTRIM', journal_key, 'MINID', first_kept)
end
