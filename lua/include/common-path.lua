-- The common path: reservations of fixed costs by active users of the directory, admitted, refused, soft or shadowed, with
-- claims and API keys. Whatever else a call needs (holds, settlements, a registration, a roll, a due hold, a new notice, a
-- repetition) is left to `full_path`, which answers the whole call. Nothing is written before it is certain that it is not needed.
-- It answers what `full_path` would: the tests run on both. Small lists are preallocated: Lua copies a table that grows.
-- Needs `now`, `text`, `limits`, `force_hashtable`.
local call, match, gmatch, byte, sub, find, huge =
  redis.call, string.match, string.gmatch, string.byte, string.sub, string.find, math.huge
local HASH, BANG, ACTIVE, MINUS = 35, 33, 97, 45
local GROUPS_MAX, LINES_MAX = 64, 2000

local last_arg = #ARGV
if last_arg < FIRST_OP or byte(ARGV[FIRST_OP]) ~= EQUALS then return full_path() end

-- A list with a value for each line or reservation. `unpack` and `#` see only what was put in.
local function new_list(has_many)
  if not has_many then return { nil, nil, nil, nil } end
  return {
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
    nil,
  } -- stylua: ignore
end
local has_many = last_arg > FIRST_OP + 2

-- Reads the reservations: charges taken apart once, the fields of their plans, and the API keys. By number of the reservation: its
-- user, items, claims (none: nil), API key (none: nil) and the hash of its secret.
-- Quotas have numbers, in the order of their first charge; items: { number, units, … }.
local head_fields = { 'epoch', 'now', 'start', 'end', 'ruleVersion', 'state', 'thresholds', 'due', nil, nil, nil, nil }
local head_size = 8
local op_users, op_items, op_count, op_claims, op_keys, key_hashes =
  new_list(has_many), new_list(has_many), 0, nil, nil, nil
local parsed, items, quotas, quota_count, number_of = {}, nil, { nil }, 0, {}
for at = FIRST_OP, last_arg do
  local user = ARGV[at]
  local mark = byte(user)
  if mark == EQUALS then
    items = parsed[user]
    if not items then
      local action, list, model = match(user, '^=([^;]*);([^;]*);?(.*)$')
      if model ~= '' then return full_path() end
      local size = 0
      items = { nil, nil, tail = '|' .. action .. '|' .. list .. '|' }
      for quota, sign, units in gmatch(list, '([^=~!,]+)([=~!])(%d+)') do
        if sign ~= '=' then return full_path() end
        local number = number_of[quota]
        if not number then
          number = quota_count + 1
          quotas[number], number_of[quota], quota_count = quota, number, number
          head_fields[head_size + 1], head_fields[head_size + 2], head_fields[head_size + 3] =
            'plan:' .. quota, 'extra:' .. quota, 'carry:' .. quota
          head_size = head_size + 3
        end
        items[size + 1], items[size + 2], size = number, units + 0, size + 2
      end
      if size == 0 then return full_path() end
      parsed[user] = items
    end
  else
    op_count = op_count + 1
    local user_end = find(user, ';', 1, true)
    if user_end then
      op_claims = op_claims or {}
      user, op_claims[op_count] = sub(user, 1, user_end - 1), sub(user, user_end + 1)
    end
    if mark == HASH then
      op_keys, key_hashes = op_keys or {}, key_hashes or {}
      op_keys[op_count], key_hashes[op_count] = match(user, '^#([^:]*):(.*)$')
      if not op_keys[op_count] then return full_path() end
    end
    op_users[op_count], op_items[op_count] = user, items
  end
end
if op_count == 0 or op_count > LINES_MAX then return full_path() end

-- The org, its rule, its cycle and the producer are as the call names them, and no hold is due.
local head = call('HMGET', KEYS[1], unpack(head_fields))
if not head[1] or head[6] ~= 'open' then return full_path() end
if head[1] .. '|' .. head[3] .. '|' .. head[4] .. '|' .. head[5] ~= ARGV[1] then return full_path() end
local clock = now()
local time, latest, producer, due = clock, ARGV[5] + 0, ARGV[3], head[8]
if latest > 0 and clock > latest then return full_path() end
if head[2] and time < head[2] + 0 then time = head[2] + 0 end
-- Kept by `write_all`; an org that has no such field yet looks.
if not due then due = call('ZRANGEBYSCORE', KEYS[6], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2] or 'none' end
if time >= head[4] + 0 or (due ~= 'none' and time >= due + 0) then return full_path() end
if producer ~= '' then
  local record = call('HGET', KEYS[7], producer)
  if not record or match(record, '^%d+') + 1 ~= ARGV[4] + 0 then return full_path() end
end
local time_text = text(time)
local plans = { nil }
for number = 1, quota_count do
  local field = 6 + 3 * number
  if not head[field] then return full_path() end
  plans[number] = plan_of(quotas[number], head[field], head[field + 1], head[field + 2])
end

-- Who holds the API keys.
if op_keys then
  local ids, key_count = {}, 0
  for op = 1, op_count do
    if op_keys[op] then
      key_count = key_count + 1
      ids[key_count] = op_keys[op]
    end
  end
  local records, place = call('HMGET', KEYS[11], unpack(ids)), 0
  for op = 1, op_count do
    if op_keys[op] then
      place = place + 1
      local hash, holder, expires = match(records[place] or '', '^(%x+)|([^|]*)|(%d+)$')
      if not hash or hash ~= key_hashes[op] then return full_path() end
      if expires ~= '0' and time >= expires + 0 then return full_path() end
      op_users[op] = holder
    end
  end
end

-- By reservation: the user's record, and below the set of groups.
local op_sets = new_list(has_many)
local records = call('HMGET', KEYS[3], unpack(op_users))

-- Groups of a membership record, alone or with claims: the record is taken apart once, its groups are read at once.
-- A set: { name, generation, … } until its groups are read; then its lines by number of the quota.
local sets, set_count, names, generations, name_count = {}, 0, { nil, nil }, {}, 0
for op = 1, op_count do
  local claims, record = op_claims and op_claims[op] or '', records[op]
  if not record or byte(record) ~= ACTIVE then return full_path() end
  local named = claims == '' and record or record .. '|' .. claims
  local set = sets[named]
  if not set then
    local last = 0
    set = { nil, nil, text = '', list = false, claims = claims }
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
    sets[named], set_count = set, set_count + 1
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
    set[place], set[place + 1] = nil, nil
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

-- Counter lines by number: the pools first, in the order of the quotas, then users' and groups'. Of each operation and item the
-- user's own, and one list for all users in the same groups, with the groups' lines and the org's.
local fields, line_plans, line_of, size = new_list(has_many), new_list(has_many), {}, quota_count
for number = 1, quota_count do
  fields[number] = quotas[number] .. ':o'
end
local op_lines, placed = new_list(has_many), 0
-- A line that only one operation and item can name is not looked for.
local one_item, one_set = op_count == 1 and #items == 2, set_count == 1
for op = 1, op_count do
  local user, set, items = op_users[op], op_sets[op], op_items[op]
  for index = 1, #items, 2 do
    local number = items[index]
    local field = quotas[number] .. ':u:' .. user
    local own = not one_item and line_of[field]
    if not own then
      size = size + 1
      own = size
      fields[own], line_plans[own] = field, plans[number]
      if not one_item then line_of[field] = own end
    end
    local shared = set[number]
    if not shared then
      shared = { nil, nil }
      local list = set.list
      for place = 1, #list do
        field = quotas[number] .. ':g:' .. list[place]
        local line = not one_set and line_of[field]
        if not line then
          size = size + 1
          line = size
          fields[line], line_plans[line] = field, plans[number]
          if not one_set then line_of[field] = line end
        end
        shared[place] = line
      end
      shared[#list + 1] = number
      set[number] = shared
    end
    op_lines[placed + 1], op_lines[placed + 2], placed = own, shared, placed + 2
  end
end
if size > LINES_MAX then return full_path() end
local consumed = call('HMGET', KEYS[13], unpack(fields))
local held = due ~= 'none' and call('HMGET', KEYS[14], unpack(fields))
local limits = call('HMGET', KEYS[2], unpack(fields))
local caps, modes, remaining, before = new_list(has_many), new_list(has_many), new_list(has_many), new_list(has_many)
for line = 1, size do
  local used = consumed[line]
  used = used and used + 0 or 0
  local is_pool = line <= quota_count
  local cap, mode, carried = cap_of(limits[line], is_pool and plans[line] or line_plans[line], is_pool, time)
  consumed[line], before[line] = used, used
  caps[line], modes[line], remaining[line] = cap, mode, cap - used - (held and held[line] or 0) - carried
end

-- Decides in order. The answer is one text: shorter to send and to keep than a table.
local answers, decided = new_list(has_many), 0
local journal, admitted = { nil }, 0
-- Of the operation at hand: scope, limit and remaining of each item's binding limit.
local binding = { nil, nil, nil }
placed = 0
for op = 1, op_count do
  local user, key_id, set, items = op_users[op], op_keys and op_keys[op], op_sets[op], op_items[op]
  local groups, from, last = set.text, placed, 0
  local hard, lenient
  for index = 2, #items, 2 do
    local units, own, shared = items[index], op_lines[placed + 1], op_lines[placed + 2]
    placed = placed + 2
    local need, least, least_place, pool_place = needed(units), huge, -1, #shared
    for place = 0, pool_place do
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
        list[#list + 1], list[#list + 2], list[#list + 3], list[#list + 4] = index / 2, line, place, units
        if left < 0 then left = 0 end
      end
      if left < least and modes[line] == 'h' then
        least, least_place = left, place
      end
    end
    if least_place < 0 then
      binding[last + 1], binding[last + 2], binding[last + 3] = '0', 0, 0
    else
      binding[last + 1] = least_place == 0 and '1' or least_place < pool_place and '2' or '3'
      binding[last + 2], binding[last + 3] = caps[shared[least_place] or own], least
    end
    last = last + 3
  end
  local status, primary, violations = '0', '0', hard or lenient
  if hard then
    status, primary = '2', '1'
    for place = 1, #hard, 4 do
      local line, units = hard[place + 1], hard[place + 3]
      if is_spent(consumed[line], units, caps[line]) then
        if status == '2' then
          status, primary = '1', text((place + 3) / 4)
        end
        -- The first refusal at this cap queues a notice.
        local marked_cap = call('HGET', KEYS[13], '!refused:' .. fields[line])
        if not marked_cap or marked_cap + 0 < caps[line] then return full_path() end
      end
    end
  end
  local named = key_id and user .. ';' .. groups or groups
  local answer = status .. '|' .. named .. '|' .. primary .. '|' .. (violations and text(#violations / 4) or '0')
  if violations then
    for place = 1, #violations, 4 do
      local line, of = violations[place + 1], violations[place + 2]
      local list = set.list
      local scope = of == 0 and '1' or of <= #list and '2' or '3'
      local taken = (held and held[line] or 0) + (scope == '3' and plans[line].carried or 0)
      -- Item, scope, group, limit, consumed, held and requested.
      answer = answer .. '|' .. text(violations[place]) .. '|' .. scope .. '|' .. (scope == '2' and list[of] or '')
      answer = answer .. '|' .. text(caps[line]) .. '|' .. text(consumed[line]) .. '|' .. text(taken)
      answer = answer .. '|' .. text(violations[place + 3])
    end
  end
  if not hard then
    for index = 2, #items, 2 do
      local units, own, shared = items[index], op_lines[from + 1], op_lines[from + 2]
      from = from + 2
      for place = 0, #shared do
        local line = shared[place] or own
        consumed[line], remaining[line] = consumed[line] + units, remaining[line] - units
      end
      local at = index * 3 / 2
      if binding[at - 2] ~= '0' then binding[at] = binding[at] - units end
    end
    admitted = admitted + 1
    local line = time_text .. '|' .. user .. '|' .. groups .. items.tail
    journal[admitted] = key_id and line .. '|' .. key_id or line
  end
  for place = 1, last, 3 do
    answer = answer .. '|' .. binding[place] .. '|' .. text(binding[place + 1]) .. '|' .. text(binding[place + 2])
  end
  decided = decided + 1
  answers[decided] = answer
end

-- A threshold that is passed queues a notice. The org keeps them in ascending order.
local thresholds = head[7] or ''
local lowest = (match(thresholds, '^%d+') or huge) / 100
local writes, last = new_list(has_many), 0
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
call('HSET', KEYS[1], 'now', time_text, 'due', due)
local reply = '8|' .. time_text .. '|' .. text(clock) .. '|' .. text(size) .. '\n' .. table.concat(answers, '\n')
if producer ~= '' then call('HSET', KEYS[7], producer, ARGV[4] .. '|' .. time_text .. '|' .. reply) end
return reply
