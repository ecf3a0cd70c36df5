-- The common path: reservations of fixed costs by active users of the directory, admitted, refused, soft or shadowed, with
-- claims and API keys. Whatever else a call needs (holds, settlements, a registration, a roll, a due hold, a new notice, a
-- repetition) is left to `full_path`, which answers the whole call. Nothing is written before it is certain that it is not needed.
-- It answers what `full_path` would: the tests run on both. Small lists are preallocated: Lua copies a table that grows.
-- Needs `now`, `text`, `limits`, `force_hashtable`.
local call, match, gmatch, byte, sub, huge = redis.call, string.match, string.gmatch, string.byte, string.sub, math.huge
local HASH, BANG, ACTIVE, MINUS = 35, 33, 97, 45
local GROUPS_MAX, LINES_MAX = 64, 2000

local first, last_arg = 9 + 2 * ARGV[8], #ARGV
if ARGV[8] == '0' or last_arg < first + 5 then return full_path() end

-- Reads the operations: charges taken apart once, the fields of their plans, and the API keys.
local head_fields = { 'epoch', 'now', 'start', 'end', 'prev', 'ruleVersion', 'state', 'thresholds', nil, nil, nil, nil }
local head_size = 8
local parsed, plans = {}, {}
local key_ids, key_count = nil, 0
for at = first, last_arg, 6 do
  local user, charges = ARGV[at + 1], ARGV[at + 3]
  if ARGV[at] ~= 'R' or ARGV[at + 4] ~= '' then return full_path() end
  if byte(user) == HASH then
    key_ids, key_count = key_ids or {}, key_count + 1
    key_ids[key_count] = match(user, '^#([^:]*):') or ''
  end
  if not parsed[charges] then
    local action, list, model = match(charges, '^([^;]*);([^;]*);?(.*)$')
    if model ~= '' then return full_path() end
    local items, size = { nil, nil, tail = '|' .. action .. '|' .. list .. '|', size = 0 }, 0
    for quota, sign, units in gmatch(list, '([^=~!,]+)([=~!])(%d+)') do
      if sign ~= '=' then return full_path() end
      items[size + 1], items[size + 2], size = quota, units + 0, size + 2
      if not plans[quota] then
        head_fields[head_size + 1], head_fields[head_size + 2], head_fields[head_size + 3] =
          'plan:' .. quota, 'extra:' .. quota, 'carry:' .. quota
        plans[quota], head_size = head_size + 1, head_size + 3
      end
    end
    if size == 0 then return full_path() end
    items.size = size
    parsed[charges] = items
  end
end

-- The org, its clock, its cycle and the producer are as in any other call that may run.
local head = call('HMGET', KEYS[1], unpack(head_fields))
if not head[1] or (ARGV[1] ~= '' and head[1] ~= ARGV[1]) or head[7] ~= 'open' then return full_path() end
local clock = now()
local time, latest, producer = clock, ARGV[7] + 0, ARGV[2]
if latest > 0 and clock > latest then return full_path() end
if head[2] and time < head[2] + 0 then time = head[2] + 0 end
if head[3] ~= ARGV[9] or time >= head[4] + 0 then return full_path() end
if producer ~= '' then
  local record = call('HGET', KEYS[7], producer)
  if not record or match(record, '^%d+') + 1 ~= ARGV[3] + 0 then return full_path() end
end
local time_text = text(time)
if #call('ZRANGEBYSCORE', KEYS[6], '-inf', time_text, 'LIMIT', 0, 1) > 0 then return full_path() end
for quota, field in pairs(plans) do
  if not head[field] then return full_path() end
  plans[quota] = plan_of(quota, head[field], head[field + 1], head[field + 2])
end

-- Who holds the API keys.
local holders, key_tails
if key_ids then
  if key_count > LINES_MAX then return full_path() end
  holders, key_tails = {}, {}
  local records = call('HMGET', KEYS[11], unpack(key_ids))
  local place = 0
  for at = first, last_arg, 6 do
    local user = ARGV[at + 1]
    if byte(user) == HASH then
      place = place + 1
      local hash, holder, expires = match(records[place] or '', '^(%x+)|([^|]*)|(%d+)$')
      if not hash or hash ~= sub(user, #key_ids[place] + 3) then return full_path() end
      if expires ~= '0' and time >= expires + 0 then return full_path() end
      holders[user], key_tails[user] = holder, '|' .. key_ids[place]
    end
  end
end

-- The users' records, each once. By operation: its user, and below its set of groups.
local op_users, op_sets, op_count = { nil, nil }, { nil, nil }, 0
local users, place_of, user_count = { nil, nil }, {}, 0
for at = first, last_arg, 6 do
  local user = ARGV[at + 1]
  user = holders and holders[user] or user
  op_count = op_count + 1
  op_users[op_count] = user
  if not place_of[user] then
    user_count = user_count + 1
    users[user_count], place_of[user] = user, user_count
  end
end
if user_count > LINES_MAX then return full_path() end
local records = call('HMGET', KEYS[3], unpack(users))

-- Groups of a membership record, alone or with claims: the record is taken apart once, its groups are read at once.
local sets, names, generations, name_count = {}, { nil, nil }, {}, 0
for op = 1, op_count do
  local claims, record = ARGV[first + 6 * op - 4], records[place_of[op_users[op]]]
  if not record or byte(record) ~= ACTIVE then return full_path() end
  local named = claims == '' and record or record .. '|' .. claims
  local set = sets[named]
  if not set then
    local last = 0
    set = { nil, nil, nil, nil, text = '', list = false, claims = claims }
    for name, generation in gmatch(sub(record, 3), '([^,#]+)#?(%d*)') do
      set[last + 1], set[last + 2], last = name, generation == '' and '0' or generation, last + 2
      if not generations[name] then
        name_count = name_count + 1
        names[name_count], generations[name] = name, true
      end
    end
    if claims ~= '' then
      for name in gmatch(claims, '[^,!]+') do
        if not generations[name] then
          name_count = name_count + 1
          names[name_count], generations[name] = name, true
        end
      end
    end
    sets[named] = set
  end
  op_sets[op] = set
end
if name_count > LINES_MAX then return full_path() end
if name_count > 0 then
  local stored = call('HMGET', KEYS[4], unpack(names))
  for place = 1, name_count do
    generations[names[place]] = stored[place] and match(stored[place], '^[^;]*')
  end
end
for _, set in pairs(sets) do
  local list, last, claims = { nil, nil }, 0, set.claims
  for place = 1, #set, 2 do
    if generations[set[place]] == set[place + 1] then
      list[last + 1], last = set[place], last + 1
    end
  end
  if claims ~= '' then
    local listed = {}
    for place = 1, last do
      listed[list[place]] = true
    end
    for name in gmatch(claims, '[^,!]+') do
      local generation = generations[name]
      if generation and byte(generation) ~= MINUS then
        if not listed[name] then
          list[last + 1], last, listed[name] = name, last + 1, true
        end
      elseif byte(claims) == BANG then
        return full_path()
      end
    end
  end
  if last > GROUPS_MAX then return full_path() end
  set.list, set.text = list, last == 1 and list[1] or table.concat(list, ',')
end

-- Counter lines by number; of each operation and item the user's own, and one list for all users in the same groups, with the
-- groups' lines and the org's.
local fields, line_of, size = { nil, nil, nil, nil }, {}, 0
local scopes, line_groups, line_plans = { nil, nil, nil, nil }, { nil, nil, nil, nil }, { nil, nil, nil, nil }
local op_lines, placed = { nil, nil }, 0
for op = 1, op_count do
  local user, set, items = op_users[op], op_sets[op], parsed[ARGV[first + 6 * op - 3]]
  for index = 1, items.size, 2 do
    local quota = items[index]
    local field = quota .. ':u:' .. user
    local own = line_of[field]
    if not own then
      size = size + 1
      fields[size], line_of[field], own = field, size, size
      scopes[size], line_groups[size], line_plans[size] = 1, '', plans[quota]
    end
    local shared = set[':' .. quota]
    if not shared then
      shared = { nil, nil }
      local list = set.list
      for place = 1, #list + 1 do
        local group = list[place]
        field = group and quota .. ':g:' .. group or quota .. ':o'
        local line = line_of[field]
        if not line then
          size = size + 1
          fields[size], line_of[field], line = field, size, size
          scopes[size], line_groups[size], line_plans[size] = group and 2 or 3, group or '', plans[quota]
        end
        shared[place] = line
      end
      set[':' .. quota] = shared
    end
    op_lines[placed + 1], op_lines[placed + 2], placed = own, shared, placed + 2
  end
end
if size > LINES_MAX then return full_path() end
local consumed = call('HMGET', KEYS[13], unpack(fields))
local held = call('EXISTS', KEYS[14]) == 1 and call('HMGET', KEYS[14], unpack(fields))
local limits = call('HMGET', KEYS[2], unpack(fields))
local caps, modes, remaining, before, reserved =
  { nil, nil, nil, nil }, { nil, nil, nil, nil }, { nil, nil, nil, nil }, { nil, nil, nil, nil }, { nil, nil, nil, nil }
for line = 1, size do
  local used = (consumed[line] or 0) + 0
  local cap, mode, carried = cap_of(limits[line], line_plans[line], scopes[line] == 3, time)
  local taken = (held and held[line] or 0) + carried
  consumed[line], before[line], reserved[line] = used, used, taken
  caps[line], modes[line], remaining[line] = cap, mode, cap - used - taken
end

-- Decides in order.
local reply = {
  0,
  time,
  head[3] + 0,
  head[4] + 0,
  (head[5] or 0) + 0,
  '',
  head[6] + 0,
  head[1],
  size,
  0,
  0,
  0,
  0,
  clock,
  '',
  1,
  nil,
  nil,
  nil,
  nil,
}
local journal, admitted, decided = { nil }, 0, 16
placed = 0
for op = 1, op_count do
  local user, holder, items = ARGV[first + 6 * op - 5], op_users[op], parsed[ARGV[first + 6 * op - 3]]
  local groups, from = op_sets[op].text, placed
  local hard, lenient
  local binding, last = { nil, nil, nil }, 0
  for index = 2, items.size, 2 do
    local units, own, shared = items[index], op_lines[placed + 1], op_lines[placed + 2]
    placed = placed + 2
    local need, least, least_line = needed(units), huge, 0
    for place = 0, #shared do
      local line = shared[place] or own
      local left = remaining[line]
      if left < need then
        local outcome = verdict(modes[line], caps[line], left, need)
        if outcome == UNCOUNTABLE then return full_path() end
        local list
        if outcome == REFUSES then
          hard = hard or {}
          list = hard
        else
          lenient = lenient or {}
          list = lenient
        end
        list[#list + 1], list[#list + 2], list[#list + 3] = index / 2, line, units
        if left < 0 then left = 0 end
      end
      if left < least and modes[line] == 'h' then
        least, least_line = left, line
      end
    end
    if least_line > 0 then
      binding[last + 1], binding[last + 2], binding[last + 3] = scopes[least_line], caps[least_line], least
    else
      binding[last + 1], binding[last + 2], binding[last + 3] = 0, 0, 0
    end
    last = last + 3
  end
  local violations = hard or lenient
  local status, primary = 0, 0
  if hard then
    status, primary = 2, 1
    for place = 1, #hard, 3 do
      local line, units = hard[place + 1], hard[place + 2]
      if is_spent(consumed[line], units, caps[line]) then
        if status == 2 then
          status, primary = 1, (place + 2) / 3
        end
        -- The first refusal at this cap queues a notice.
        local marked_cap = call('HGET', KEYS[13], '!refused:' .. fields[line])
        if not marked_cap or marked_cap + 0 < caps[line] then return full_path() end
      end
    end
  end
  local result =
    { status, holder == user and groups or holder .. ';' .. groups, primary, violations and #violations / 3 or 0 }
  if violations then
    for place = 1, #violations, 3 do
      local line, end_at = violations[place + 1], #result
      result[end_at + 1], result[end_at + 2], result[end_at + 3] = violations[place], scopes[line], line_groups[line]
      result[end_at + 4], result[end_at + 5], result[end_at + 6], result[end_at + 7] =
        caps[line], consumed[line], reserved[line], violations[place + 2]
    end
  end
  if not hard then
    for index = 2, items.size, 2 do
      local units, own, shared = items[index], op_lines[from + 1], op_lines[from + 2]
      from = from + 2
      for place = 0, #shared do
        local line = shared[place] or own
        consumed[line], remaining[line] = consumed[line] + units, remaining[line] - units
      end
      local at_binding = index * 3 / 2
      if binding[at_binding - 2] ~= 0 then binding[at_binding] = binding[at_binding] - units end
    end
    admitted = admitted + 1
    local line = time_text .. '|' .. holder .. '|' .. groups .. items.tail
    journal[admitted] = key_tails and key_tails[user] and line .. key_tails[user] or line
  end
  local result_size = #result
  for place = 1, last do
    result[result_size + place] = binding[place]
  end
  decided = decided + 1
  reply[decided] = result
end

-- A threshold that is passed queues a notice.
local thresholds, lowest = head[8] or '', huge
for threshold in gmatch(thresholds, '%d+') do
  if threshold / 100 < lowest then lowest = threshold / 100 end
end
local writes, last = { nil, nil, nil, nil, nil, nil, nil, nil }, 0
for line = 1, size do
  local used, was, cap = consumed[line], before[line], caps[line]
  if used > was then
    if used >= cap * lowest and cap > 0 and modes[line] ~= 'n' then
      for threshold in gmatch(thresholds, '%d+') do
        local mark = cap * (threshold / 100)
        if was < mark and used >= mark then return full_path() end
      end
    end
    writes[last + 1], writes[last + 2], last = fields[line], text(used), last + 2
  end
end

if last > 0 and call('HSET', KEYS[13], unpack(writes)) > 0 then force_hashtable(KEYS[13]) end
if admitted > 0 then call('XADD', KEYS[8], '*', 'e', admitted == 1 and journal[1] or table.concat(journal, '\n')) end
call('HSET', KEYS[1], 'now', time_text)
if producer ~= '' then call('HSET', KEYS[7], producer, ARGV[3] .. '|' .. time_text .. '|' .. cmsgpack.pack(reply)) end
return reply
