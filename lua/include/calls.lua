-- Which calls the book has. A lane runs its numbers one by one, so that a book has all calls of a lane up to its last number:
-- what a fail-over or a backup lost is not among them.
local last_numbers = {}

-- Whether the call '<lane>.<number>' has run here, as far as the book can show.
local function has_run(call)
  local lane, number = string.match(call, '^(.+)%.([1-9]%d*)$')
  if not lane then return false end
  local last = last_numbers[lane]
  if last == nil then
    local record = redis.call('HGET', KEYS[7], lane)
    last = record and tonumber(string.match(record, '^%d+')) or 0
    last_numbers[lane] = last
  end
  return tonumber(number) <= last
end
