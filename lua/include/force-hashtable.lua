-- Redis keeps a small hash as a list and searches it from its start for every field: of 400 fields, a decision costs twice
-- what it costs of 4,000. One field that is too long for a list makes a real hash of it. Scans leave that field out.
local function force_hashtable(key, least)
  if redis.call('HLEN', key) > (least or 32) then redis.call('HSETNX', key, '!wide', string.rep('-', 65)) end
end
