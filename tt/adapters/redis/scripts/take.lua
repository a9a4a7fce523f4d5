-- Move the next message of an agent to those that it has taken: urgent ones first.
-- KEYS: 1 urgent, 2 inbox, 3 taken. Returns the message; nil where there is none.
return redis.call('LMOVE', KEYS[1], KEYS[3], 'LEFT', 'RIGHT')
  or redis.call('LMOVE', KEYS[2], KEYS[3], 'LEFT', 'RIGHT')
