-- Users and their groups, read at once for all reservations of a call. Needs `head`.
local GROUPS_MAX = 64
local members, generations, group_lists = {}, {}, {}
local unknown_users

local NO_PLAN, UNKNOWN_USER, INACTIVE_USER, NO_SEAT, TOO_MANY_GROUPS, ORG_ARCHIVED, VOIDED, INVALID_KEY =
  1, 2, 3, 4, 5, 6, 7, 8

local function read_all(key, names, into)
  for first = 1, #names, 4000 do
    local last = math.min(first + 3999, #names)
    local values = redis.call('HMGET', key, unpack(names, first, last))
    for index = first, last do into[names[index]] = values[index - first + 1] end
  end
end

local function read_members(users)
  read_all(KEYS[3], users, members)
end

-- group -> generation; a deleted group's is negative, an unknown one's is false
local function read_groups(names)
  local values = {}
  read_all(KEYS[4], names, values)
  for _, name in ipairs(names) do
    generations[name] = values[name] and tonumber(string.match(values[name], '^(-?%d+);'))
  end
end

-- Each group named by the memberships and claims of a call, once.
local function collect_groups(list, into, seen)
  for name in string.gmatch(list, '([^,#]+)[^,]*') do
    if not seen[name] then
      seen[name] = true
      into[#into + 1] = name
    end
  end
end

-- Directory groups, then claimed ones, each once and only where it exists: { list, text }. nil: more than can be checked.
local function groups_of(membership, claims)
  local key = membership .. '|' .. claims
  local known = group_lists[key]
  if known then return known.count <= GROUPS_MAX and known or nil end
  local list, seen = {}, {}
  for token in string.gmatch(membership, '[^,]+') do
    local name, generation = string.match(token, '^([^#]+)#?(%d*)$')
    if generations[name] and generations[name] == tonumber(generation == '' and 0 or generation) and not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  for name in string.gmatch(claims, '[^,]+') do
    if generations[name] and generations[name] >= 0 and not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  known = { list = list, text = table.concat(list, ','), count = #list }
  group_lists[key] = known
  return known.count <= GROUPS_MAX and known or nil
end

-- The user's groups as listed; unknown users are registered, invited ones become active, both while seats last.
-- Second value: why not.
local function admit_member(user)
  if head.state == 'archived' then return nil, ORG_ARCHIVED end
  local record = members[user]
  if not record then
    if unknown_users == 'deny' then return nil, UNKNOWN_USER end
    record = 'i:'
  end
  local status, groups = string.sub(record, 1, 1), string.sub(record, 3)
  if status == 'a' then return groups end
  if status ~= 'i' then return nil, INACTIVE_USER end
  local seats = redis.call('HMGET', KEYS[1], 'seats', 'seatsUsed')
  local used = tonumber(seats[2] or 0)
  if seats[1] and seats[1] ~= '' and used >= tonumber(seats[1]) then return nil, NO_SEAT end
  members[user] = 'a:' .. groups
  redis.call('HSET', KEYS[3], user, members[user])
  redis.call('HSET', KEYS[1], 'seatsUsed', used + 1)
  redis.call('HINCRBY', KEYS[1], 'version', 1)
  return groups
end
