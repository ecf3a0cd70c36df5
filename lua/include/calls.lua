-- Which calls the org has. A producer runs its numbers one by one, so that an org has all calls of a producer up to its last number:
-- what a fail-over or a backup lost is not among them.
local last_numbers = {}

-- Whether the call '<producer>.<number>' has run here, as far as the org can show.
local function has_run(call)
  local producer, number = string.match(call, '^(.+)%.([1-9]%d*)$')
  if not producer then return false end
  local last = last_numbers[producer]
  if last == nil then
    local record = redis.call('HGET', KEYS[1], '!call:' .. producer) or redis.call('HGET', KEYS[7], producer)
    last = record and tonumber(string.match(record, '^%d+')) or 0
    last_numbers[producer] = last
  end
  return tonumber(number) <= last
end
