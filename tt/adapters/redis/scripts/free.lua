-- Take tombstones away that are still as they were read.
-- KEYS[1]: the town's tombstones. ARGV: plan id, text, plan id, text, …
-- Returns how many were taken away.
local freed = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    freed = freed + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return freed
