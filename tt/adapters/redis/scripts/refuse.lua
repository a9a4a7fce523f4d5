-- Set aside what an agent has taken and is no message, with an event.
-- KEYS: 1 taken, 2 what was set aside, 3 and on: streams of events. ARGV: 1 what it is, 2 how many
-- are kept, 3 about how many events are kept, 4 kind and 5 data of the event.
-- Returns 1; 0 where it was not there any more: then nothing is written.
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 0 then
  return 0
end
redis.call('RPUSH', KEYS[2], ARGV[1])
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[2]), -1)
for i = 3, #KEYS do
  redis.call('XADD', KEYS[i], 'MAXLEN', '~', ARGV[3], '*', 'event_type', ARGV[4], 'data', ARGV[5])
end
return 1
