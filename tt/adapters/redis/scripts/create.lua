-- Make a task's hash, unless its key exists.
-- KEYS[1]: the hash. ARGV: 1 id, 2 description, 3 state, 4 now, 5 tags, then pairs of a field and
-- its text for all other fields.
-- Returns 1; 0 where the key exists, whatever it holds: then nothing is written.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'description', ARGV[2], 'state', ARGV[3],
  'created_at', ARGV[4], 'updated_at', ARGV[4], 'tags', ARGV[5], 'tt', '1', unpack(ARGV, 6))
return 1
