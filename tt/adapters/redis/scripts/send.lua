-- Put a message into a list, unless it is there already, or in another one where it would lie.
-- KEYS: 1 the list, 2 and on: the others. ARGV: 1 'LPUSH' or 'RPUSH', 2 the message.
-- Returns 1; 0 where it was there: then nothing is written.
for _, key in ipairs(KEYS) do
  if redis.call('LPOS', key, ARGV[2]) then
    return 0
  end
end
redis.call(ARGV[1], KEYS[1], ARGV[2])
return 1
