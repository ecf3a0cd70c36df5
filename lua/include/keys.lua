-- API keys: a reservation whose user is '#<key id>:<hash of its secret>' is its holder's, if the key is valid now.
-- Needs `head`, `members` (read_all). A record: '<sha256 of the secret, hex>|<user>|<expires at, 0 for never>'.
local holders = {}

-- Resolves those of these users that are keys, all at once.
local function read_holders(users)
  local ids, asked = {}, {}
  for _, user in ipairs(users) do
    local id = string.byte(user) == 35 and string.match(user, '^#([^:]*):')
    if id and not asked[id] then
      asked[id] = true
      ids[#ids + 1] = id
    end
  end
  if #ids == 0 then return end
  local records = {}
  read_all(KEYS[11], ids, records)
  for _, key_user in ipairs(users) do
    local id, hash = string.match(key_user, '^#([^:]*):(.*)$')
    local record = id and records[id]
    if record then
      local stored_hash, user, expires = string.match(record, '^(%x+)|([^|]*)|(%d+)$')
      local valid = stored_hash == hash and (expires == '0' or head.now < tonumber(expires))
      holders[key_user] = valid and user or nil
    end
  end
end

-- The user key of a reservation, nil where its key is not valid.
local function holder_of(user)
  if string.byte(user) ~= 35 then return user end
  return holders[user]
end
