--[[
  Takes orgs whose next maintenance is due from a schedule. Each comes again at the latest after `again`, so that a gateway that
  ends meanwhile loses none; whoever touches the org or has done its work schedules it earlier.

  KEYS[1] the schedule: orgs by the time of their next maintenance   ARGV[1] how many at most   ARGV[2] again, in ms
  Returns their ids.
]]
--- @include "now"

local time = now()
local orgs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', time, 'LIMIT', 0, ARGV[1])
for _, org in ipairs(orgs) do
  redis.call('ZADD', KEYS[1], time + ARGV[2], org)
end
return orgs
