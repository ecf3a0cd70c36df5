-- The common path: reservations of fixed costs by active users of the directory, admitted, refused, soft or shadowed, with
-- claims and API keys. Whatever else a call needs (holds, settlements, a registration, a roll, a due hold, a new notice, a
-- repetition) is left to `full_path`, which answers the whole call. Nothing is written before it is certain that it is not needed.
-- It answers what `full_path` would: the tests run on both. Small lists are preallocated: Lua copies a table that grows.
-- Needs `now`, `limits`, `force_hashtable`.
local call, concat, huge = redis.call, table.concat, math.huge
local match, gmatch, byte, sub, find, format =
  string.match, string.gmatch, string.byte, string.sub, string.find, string.format
local HASH, BANG, ACTIVE, MINUS = 35, 33, 97, 45
local GROUPS_MAX, LINES_MAX = 64, 2000

local last_arg = #ARGV
if last_arg < FIRST_OP or byte(ARGV[FIRST_OP]) ~= EQUALS then return full_path() end

-- A list with a value for each line or reservation. `unpack` and `#` see only what was put in.
local function new_list(has_many)
  if not has_many then return { nil, nil, nil, nil } end
  -- stylua: ignore
  return {
    nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil,
    nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil,
  }
end
local has_many = last_arg > FIRST_OP + 2

-- Reads the reservations: charges taken apart once, the fields of their plans, and the API keys. By number of the reservation: its
-- user, items, claims (none: nil), API key (none: nil) and the hash of its secret.
-- Quotas have numbers, in the order of their first charge; items: { number, units, … }.
local producer, call_field = ARGV[3], '!call:' .. ARGV[3]
local head_fields =
  { 'epoch', 'now', 'start', 'end', 'ruleVersion', 'state', 'thresholds', 'due', call_field, nil, nil, nil }
local head_size = 9
local op_users, op_items, op_count, op_claims, op_keys, key_hashes =
  new_list(has_many), new_list(has_many), 0, nil, nil, nil
local parsed, charged, quotas, quota_count, number_of = {}, nil, { nil }, 0, {}
for at = FIRST_OP, last_arg do
  local user = ARGV[at]
  local mark = byte(user)
  if mark == EQUALS then
    charged = parsed[user]
    if not charged then
      local action, list, model = match(user, '^=([^;]*);([^;]*);?(.*)$')
      if model ~= '' then return full_path() end
      local size = 0
      charged = { nil, nil, tail = '|' .. action .. '|' .. list .. '|' }
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
        charged[size + 1], charged[size + 2], size = number, units + 0, size + 2
      end
      if size == 0 then return full_path() end
      parsed[user] = charged
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
    op_users[op_count], op_items[op_count] = user, charged
  end
end
if op_count == 0 or op_count > LINES_MAX then return full_path() end

-- The org, its rule, its cycle and the producer are as the call names them, and no hold is due.
local head = call('HMGET', KEYS[1], unpack(head_fields))
if not head[1] or head[6] ~= 'open' then return full_path() end
if not head[3] or not head[4] or not head[5] then return full_path() end
if head[1] .. '|' .. head[3] .. '|' .. head[4] .. '|' .. head[5] ~= ARGV[1] then return full_path() end
local clock = now()
local time, latest, due = clock, ARGV[5] + 0, head[8]
if latest > 0 and clock > latest then return full_path() end
if head[2] and time < head[2] + 0 then time = head[2] + 0 end
-- Kept by `write_all`; an org that has no such field yet looks.
if not due then due = call('ZRANGEBYSCORE', KEYS[6], '-inf', '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2] or 'none' end
if time >= head[4] + 0 or (due ~= 'none' and time >= due + 0) then return full_path() end
if producer ~= '' then
  local record = head[9]
  if not record or match(record, '^%d+') + 1 ~= ARGV[4] + 0 then return full_path() end
end
-- Where a C long has 32 bits, numbers need `text`.
local time_text = format('%d', time)
if time_text + 0 ~= time then return full_path() end
local plans = { nil }
for number = 1, quota_count do
  local field = 7 + 3 * number
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

-- By reservation: the user's record, and its set of groups.
local records = call('HMGET', KEYS[3], unpack(op_users))
local op_sets = new_list(has_many)

-- Sets of groups have numbers, each distinct record, alone or with claims, one. All sets stand in one list, each from `set_first` to
-- `set_last`: names, and the generation that a membership has seen, '' for a claim, '!' for a claim that must be known.
local set_of, set_count, set_first, set_last = {}, 0, new_list(has_many), new_list(has_many)
local members, wanted, last_member = new_list(has_many), new_list(has_many), 0
local names, generations, name_count = { nil, nil }, {}, 0
for op = 1, op_count do
  local claims, record = op_claims and op_claims[op] or '', records[op]
  if not record or byte(record) ~= ACTIVE then return full_path() end
  local named = claims == '' and record or record .. '|' .. claims
  local set = set_of[named]
  if not set then
    local before = last_member
    local only, generation = match(record, '^a:([^,#]+)#?(%d*)$')
    if only then
      last_member = last_member + 1
      members[last_member], wanted[last_member] = only, generation == '' and '0' or generation
    else
      for name, seen in gmatch(sub(record, 3), '([^,#]+)#?(%d*)') do
        last_member = last_member + 1
        members[last_member], wanted[last_member] = name, seen == '' and '0' or seen
      end
    end
    if claims ~= '' then
      local mark = byte(claims) == BANG and '!' or ''
      for name in gmatch(claims, '[^,!]+') do
        last_member = last_member + 1
        members[last_member], wanted[last_member] = name, mark
      end
    end
    for place = before + 1, last_member do
      local name = members[place]
      if generations[name] == nil then
        name_count = name_count + 1
        names[name_count], generations[name] = name, false
      end
    end
    set = set_count + 1
    set_of[named], set_first[set], set_last[set], set_count = set, before + 1, last_member, set
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

-- Keeps the groups that exist, each once, and moves them together.
local set_texts = new_list(has_many)
for set = 1, set_count do
  local first = set_first[set]
  local last = first - 1
  for place = first, set_last[set] do
    local name, seen = members[place], wanted[place]
    local generation = generations[name]
    local counts = generation == seen
    if seen == '' or seen == '!' then
      counts = generation and byte(generation) ~= MINUS
      if not counts and seen == '!' then return full_path() end
      for other = first, last do
        counts = counts and members[other] ~= name
      end
    end
    if counts then
      last = last + 1
      members[last] = name
    end
  end
  if last - first >= GROUPS_MAX then return full_path() end
  set_last[set] = last
  set_texts[set] = last == first and members[first] or last < first and '' or concat(members, ',', first, last)
end

-- Counter lines by number: the pools first, in the order of the quotas, then users' and groups'. Of each reservation and item the
-- user's own; of each set and quota a part of one list, with the groups' lines and the org's, which begins at `shared_first`.
local fields, line_plans, line_of, size = new_list(has_many), new_list(has_many), {}, quota_count
local user_prefixes, group_prefixes = { nil }, { nil }
for number = 1, quota_count do
  fields[number], line_plans[number] = quotas[number] .. ':o', plans[number]
  user_prefixes[number], group_prefixes[number] = quotas[number] .. ':u:', quotas[number] .. ':g:'
end
local own_lines, op_shared, placed = new_list(has_many), new_list(has_many), 0
local shared_lines, shared_size, shared_first = new_list(has_many), 0, new_list(has_many)
-- A line that only one reservation and item can name is not looked for.
local one_item, one_set = op_count == 1 and #op_items[1] == 2, set_count == 1
for op = 1, op_count do
  local user, set, items = op_users[op], op_sets[op], op_items[op]
  for index = 1, #items, 2 do
    local number = items[index]
    local field = user_prefixes[number] .. user
    local own = not one_item and line_of[field]
    if not own then
      size = size + 1
      own = size
      fields[own], line_plans[own] = field, plans[number]
      if not one_item then line_of[field] = own end
    end
    placed = placed + 1
    own_lines[placed] = own
    local shared = (set - 1) * quota_count + number
    if not shared_first[shared] then
      shared_first[shared] = shared_size + 1
      for place = set_first[set], set_last[set] do
        field = group_prefixes[number] .. members[place]
        local line = not one_set and line_of[field]
        if not line then
          size = size + 1
          line = size
          fields[line], line_plans[line] = field, plans[number]
          if not one_set then line_of[field] = line end
        end
        shared_size = shared_size + 1
        shared_lines[shared_size] = line
      end
      shared_size = shared_size + 1
      shared_lines[shared_size] = number
    end
    op_shared[placed] = shared_first[shared] - 1
  end
end
if size > LINES_MAX then return full_path() end
local consumed = call('HMGET', KEYS[13], unpack(fields))
local held = due ~= 'none' and call('HMGET', KEYS[14], unpack(fields))
-- Pools have plans in place of limits.
local limits = call('HMGET', KEYS[2], unpack(fields, quota_count + 1))
local caps, modes, remaining, before = new_list(has_many), new_list(has_many), new_list(has_many), new_list(has_many)
for line = 1, size do
  local used = consumed[line]
  used = used and used + 0 or 0
  local cap, mode, carried = cap_of(limits[line - quota_count], line_plans[line], line <= quota_count, time)
  consumed[line], before[line] = used, used
  caps[line], modes[line], remaining[line] = cap, mode, cap - used - (held and held[line] or 0) - carried
end

-- Decides in order. The answer is one text: shorter to send and to keep than a table.
local answers, decided = new_list(has_many), 0
local journal, admitted = new_list(has_many), 0
-- Of the reservation at hand: scope, limit and remaining of each item's binding limit.
local binding = { nil, nil, nil }
placed = 0
for op = 1, op_count do
  local user, key_id, set, items = op_users[op], op_keys and op_keys[op], op_sets[op], op_items[op]
  local groups, group_count, from, last = set_texts[set], set_last[set] - set_first[set] + 1, placed, 0
  local hard, lenient
  for index = 2, #items, 2 do
    placed = placed + 1
    local units, own, before_shared = items[index], own_lines[placed], op_shared[placed]
    local need, least, least_place, least_cap = needed(units), huge, -1, 0
    for place = 0, group_count + 1 do
      local line = place == 0 and own or shared_lines[before_shared + place]
      local left, mode = remaining[line], modes[line]
      if left < need then
        local outcome = verdict(mode, caps[line], left, need)
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
      if left < least and mode == 'h' then
        least, least_place, least_cap = left, place, caps[line]
      end
    end
    if least_place < 0 then
      binding[last + 1], binding[last + 2], binding[last + 3] = '0', 0, 0
    else
      binding[last + 1] = least_place == 0 and '1' or least_place <= group_count and '2' or '3'
      binding[last + 2], binding[last + 3] = least_cap, least
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
          status, primary = '1', format('%d', (place + 3) / 4)
        end
        -- The first refusal at this cap queues a notice.
        local marked_cap = call('HGET', KEYS[13], '!refused:' .. fields[line])
        if not marked_cap or marked_cap + 0 < caps[line] then return full_path() end
      end
    end
  end
  local named = key_id and user .. ';' .. groups or groups
  local answer = format('%s|%s|%s|%d', status, named, primary, violations and #violations / 4 or 0)
  for place = 1, violations and #violations or 0, 4 do
    local line, of = violations[place + 1], violations[place + 2]
    local scope = of == 0 and '1' or of <= group_count and '2' or '3'
    local group = scope == '2' and members[set_first[set] + of - 1] or ''
    local taken = (held and held[line] or 0) + (scope == '3' and plans[line].carried or 0)
    local item, units, cap = violations[place], violations[place + 3], caps[line]
    -- Item, scope, group, limit, consumed, held and requested.
    answer = answer .. format('|%d|%s|%s|%d|%d|%d|%d', item, scope, group, cap, consumed[line], taken, units)
  end
  if not hard then
    for index = 2, #items, 2 do
      from = from + 1
      local units, own, before_shared = items[index], own_lines[from], op_shared[from]
      consumed[own], remaining[own] = consumed[own] + units, remaining[own] - units
      for place = before_shared + 1, before_shared + group_count + 1 do
        local line = shared_lines[place]
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
    answer = answer .. format('|%s|%d|%d', binding[place], binding[place + 1], binding[place + 2])
  end
  decided = decided + 1
  answers[decided] = answer
end

-- A threshold that is passed queues a notice. The full path knows whether it is one of the line's scope.
local thresholds = head[7] or ''
local users, groups, org = match(thresholds, '^(%d*)[%d,]*;?(%d*)[%d,]*;?(%d*)')
local lowest = math.min(tonumber(users) or huge, tonumber(groups) or huge, tonumber(org) or huge) / 100
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
    writes[last + 1], writes[last + 2], last = fields[line], format('%d', used), last + 2
  end
end

if last > 0 and call('HSET', KEYS[13], unpack(writes)) > 0 then force_hashtable(KEYS[13]) end
if admitted > 0 then call('XADD', KEYS[8], '*', 'e', admitted == 1 and journal[1] or concat(journal, '\n')) end
-- A repeated call may name other bounds than those in which it ran.
local ran_in = head[3] .. '|' .. head[4] .. '|' .. head[5]
local reply = format('8|%s|%d|%d|%s\n', time_text, clock, size, ran_in) .. concat(answers, '\n')
local changes, changes_size = { 'now', time_text, nil, nil }, 2
if producer ~= '' then
  changes[3], changes[4], changes_size = call_field, ARGV[4] .. '|' .. time_text .. '|' .. reply, 4
end
if not head[8] then
  changes[changes_size + 1], changes[changes_size + 2] = 'due', due
end
call('HSET', KEYS[1], unpack(changes))
return reply
