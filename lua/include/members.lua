-- Users and their groups, read at once for all reservations of a call. Needs `head`, `hash-fields`, `force_hashtable`.
local GROUPS_MAX = 64
-- Entries of the change feed that are kept, as in src/ledger/change-feed.ts.
local FEED_KEPT = 1000
-- user -> record; record -> its parts; group -> generation; record and claims -> groups
local members, memberships, generations, group_sets = {}, {}, {}, {}
local listed_in = {}
local unknown_users

local NO_PLAN, UNKNOWN_USER, INACTIVE_USER, NO_SEAT, TOO_MANY_GROUPS, ORG_ARCHIVED, VOIDED, INVALID_KEY, UNKNOWN_GROUP =
  1, 2, 3, 4, 5, 6, 7, 8, 9

-- A deleted group's generation is negative, an unknown one's is false.
local function read_groups(names)
  read_directory(KEYS[4], names, generations)
  for index = 1, #names do
    local stored = generations[names[index]]
    generations[names[index]] = stored and tonumber(string.match(stored, '^(-?%d+);'))
  end
end

-- '<status>:<group>,<group>#<generation>' taken apart, each text once: { status, names, generations }.
local function membership_of(record)
  local known = memberships[record]
  if known then return known end
  local names, wanted, count = { nil, nil, nil, nil }, { nil, nil, nil, nil }, 0
  for name, generation in string.gmatch(string.sub(record, 3), '([^,#]+)#?(%d*)') do
    count = count + 1
    names[count], wanted[count] = name, generation == '' and 0 or tonumber(generation)
  end
  known = { status = string.sub(record, 1, 1), names = names, generations = wanted }
  memberships[record] = known
  return known
end

-- Claims behind a '!' must all be known.
local CLAIM, MUST_BE_KNOWN = '[^,!]+', 33

-- Claimed groups that do not exist, where they must; nil: there are none.
local function unknown_claims(claims)
  if string.byte(claims) ~= MUST_BE_KNOWN then return nil end
  local unknown = {}
  for name in string.gmatch(claims, CLAIM) do
    local generation = generations[name]
    if not generation or generation < 0 then unknown[#unknown + 1] = name end
  end
  return #unknown > 0 and table.concat(unknown, ',') or nil
end

-- Directory groups, then claimed ones, each once and only where it exists.
local function find_groups(membership, claims)
  local list, count = { nil, nil, nil, nil }, 0
  local names, wanted = membership.names, membership.generations
  for index = 1, #names do
    local name = names[index]
    if generations[name] == wanted[index] and listed_in[name] ~= list then
      count = count + 1
      list[count], listed_in[name] = name, list
    end
  end
  for name in string.gmatch(claims, CLAIM) do
    local generation = generations[name]
    if generation and generation >= 0 and listed_in[name] ~= list then
      count = count + 1
      list[count], listed_in[name] = name, list
    end
  end
  return { list = list, text = table.concat(list, ',') }
end

-- { list, text }
local function all_groups_of(record, claims)
  local named = claims == '' and record or record .. '|' .. claims
  local groups = group_sets[named]
  if not groups then
    groups = find_groups(membership_of(record), claims)
    group_sets[named] = groups
  end
  return groups
end

-- The same; nil: more groups than can be checked.
local function groups_of(record, claims)
  local groups = all_groups_of(record, claims)
  return #groups.list <= GROUPS_MAX and groups or nil
end

-- The user's record; unknown users are registered, invited ones become active, both while seats last.
-- Second value: why not. `only_asks`: nothing is written.
local function admit_member(user, only_asks)
  if head.state == 'archived' then return nil, ORG_ARCHIVED end
  local record = members[user]
  if not record then
    if unknown_users == 'deny' then return nil, UNKNOWN_USER end
    record = 'i:'
  end
  local status = membership_of(record).status
  if status == 'a' then return record end
  if status ~= 'i' then return nil, INACTIVE_USER end
  local seats = redis.call('HMGET', KEYS[1], 'seats', 'seatsUsed')
  local used = tonumber(seats[2] or 0)
  if seats[1] and seats[1] ~= '' and used >= tonumber(seats[1]) then return nil, NO_SEAT end
  record = 'a:' .. string.sub(record, 3)
  if only_asks then return record end
  members[user] = record
  redis.call('HSET', KEYS[3], user, record)
  force_hashtable(KEYS[3])
  redis.call('HSET', KEYS[1], 'seatsUsed', used + 1)
  redis.call('XADD', KEYS[#KEYS], 'MAXLEN', '~', FEED_KEPT, '*', 'e', 'members=' .. user)
  -- The record was made of the staged one.
  if head.staged then redis.call('HDEL', KEYS[3], head.staged .. user) end
  -- A staging that has the user counts the seat too.
  if head.staging and redis.call('HGET', KEYS[3], '!' .. head.staging .. ':' .. user) then
    redis.call('HINCRBY', KEYS[1], 'stagingSeats', -1)
  end
  return record
end
