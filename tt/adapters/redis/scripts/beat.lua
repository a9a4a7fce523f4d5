-- Show that an agent lives, and look whether it still holds what it works on.
-- KEYS: 1 the agent's hash, 2 its sign of life, 3 and on: tasks. ARGV: 1 its uuid, 2 now, 3 for how
-- many milliseconds the sign is good, 4 its process (host, pid, birth), 5 and on: the claims of
-- these tasks.
-- Returns the numbers (from 1) of the tasks that it does not hold. An agent that is gone, or that
-- another process is by now, holds none and shows no sign of life.
local agent = redis.call('HMGET', KEYS[1], 'state', 'run:host', 'run:pid', 'run:born')
local state, process = agent[1], (agent[2] or '') .. ' ' .. (agent[3] or '') .. ' ' .. (agent[4] or '')
local gone = not state or state == 'stopped' or state == 'error'
  or (agent[3] and process ~= ARGV[4])
if not gone then
  redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
  redis.call('HSET', KEYS[1], 'last_heartbeat', ARGV[2])
end
local lost = {}
for i = 3, #KEYS do
  local task = redis.call('HMGET', KEYS[i], 'state', 'run:claim', 'assigned_to')
  if gone or task[1] ~= 'running' or task[2] ~= ARGV[i + 2] or task[3] ~= ARGV[1] then
    lost[#lost + 1] = i - 2
  end
end
return lost
