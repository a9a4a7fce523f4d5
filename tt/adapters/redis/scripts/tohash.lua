-- Make a hash of a text that is as it was read; it expires when the text would have.
-- KEYS[1]: the text. ARGV: 1 the text, then pairs of a field and its text, one at least.
-- Returns 1; 2 where there is no text any more; 0 where it differs; an error where the server does
-- not let this user write hashes: then nothing is written.
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then
  return 2
end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
-- A text takes no field. For any other refusal, ask before the text is gone.
local refusal = redis.pcall('HSET', KEYS[1], ARGV[2], ARGV[3])
if not string.find(refusal.err, 'WRONGTYPE', 1, true) then
  return refusal
end
local ttl = redis.call('PTTL', KEYS[1])
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
if ttl > 0 then
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return 1
