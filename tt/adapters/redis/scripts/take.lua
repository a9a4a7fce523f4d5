-- Move the next messages of an agent to those that it has taken: urgent ones first.
-- KEYS: 1 urgent, 2 inbox, 3 taken. ARGV[1]: how many at most. Returns the messages, in order.
local taken = {}
while #taken < tonumber(ARGV[1]) do
  local message = redis.call('LMOVE', KEYS[1], KEYS[3], 'LEFT', 'RIGHT')
    or redis.call('LMOVE', KEYS[2], KEYS[3], 'LEFT', 'RIGHT')
  if not message then
    break
  end
  taken[#taken + 1] = message
end
return taken
