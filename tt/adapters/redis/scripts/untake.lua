-- Put all that an agent has taken back where it is read first, in the order in which it was taken.
-- KEYS: 1 taken, 2 inbox. Returns how many messages there were.
local count = redis.call('LLEN', KEYS[1])
for _ = 1, count do
  redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
end
return count
