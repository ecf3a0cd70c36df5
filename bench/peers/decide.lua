-- Checks a user's limit, one group's limit and the pool, and counts only if all fit. No identity, membership, cycle or history.
local lines = { 'u:' .. ARGV[1], 'g:' .. ARGV[2], 'o' }
local limits = redis.call('HMGET', KEYS[1], lines[1], lines[2], lines[3])
local consumed = redis.call('HMGET', KEYS[2], lines[1], lines[2], lines[3])
local units, tightest = tonumber(ARGV[3]), 1e15
for index = 1, 3 do
  local left = tonumber(limits[index] or 0) - tonumber(consumed[index] or 0) - units
  if left < 0 then return { 0, left + units } end
  if left < tightest then tightest = left end
end
for index = 1, 3 do redis.call('HINCRBY', KEYS[2], lines[index], units) end
return { 1, tightest }
