-- The store's time in ms. The only clock of the ledger; tests load the scripts with another file in its place.
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
