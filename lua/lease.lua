--[[
  Takes or keeps a lease for a job that one process does at a time.

  KEYS[1] the lease   ARGV[1] holder   ARGV[2] life in ms
  Returns 1 where the holder has it now, 0 where another does.
]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
