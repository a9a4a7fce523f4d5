-- Take the lead of a town, or go on leading it.
-- KEYS[1]: the lease. ARGV: 1 token, 2 for how many milliseconds.
-- Returns 1; 0 where another token leads: then nothing is written. What has no end is no lease.
local leader = redis.call('GET', KEYS[1])
if leader and leader ~= ARGV[1] and redis.call('PTTL', KEYS[1]) >= 0 then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
