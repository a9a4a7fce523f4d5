-- Lead a town no more.
-- KEYS[1]: the lease. ARGV[1]: token. Returns 1; 0 where that is not what leads.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
return redis.call('DEL', KEYS[1])
