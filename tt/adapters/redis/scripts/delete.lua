-- Delete a hash that is exactly as it was read.
-- KEYS[1]: the task's hash. ARGV: field, text, field, text, …: all of it.
-- Returns 1; 2 where there is no such key any more; 0 where it differs: then nothing is deleted.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then
  return 2
end
if kind ~= 'hash' or redis.call('HLEN', KEYS[1]) * 2 ~= #ARGV then
  return 0
end
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then
    return 0
  end
end
redis.call('DEL', KEYS[1])
return 1
