-- Make a hash, unless its key exists.
-- KEYS[1]: the task's hash. ARGV: field, text, field, text, …
-- Returns 1; 0 where the key exists, whatever it holds: then nothing is written.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
