-- Do commands if all that they rest on is as it was read: one transition of a town.
-- KEYS: all keys. ARGV: 1 how many conditions there are; then each condition: the number of a key,
-- a field of that hash and its text, '=' and the text or '' for none; where the field is '', the
-- key is a list that has to hold the text after the '='. Then each command: how many arguments
-- follow its key, its name, the number of its key, the arguments.
-- Returns 1; 0 where a condition does not hold, an error where a key is of another type than a
-- command takes: then nothing is written.
local takes = {
  HSET = 'hash', HDEL = 'hash', RPUSH = 'list', LPUSH = 'list', LREM = 'list', XADD = 'stream',
}
local at = 2
for _ = 1, tonumber(ARGV[1]) do
  local key, field, wanted = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  if field == '' then
    if not redis.call('LPOS', key, string.sub(wanted, 2)) then
      return 0
    end
  else
    local found = redis.call('HGET', key, field)
    if (found and '=' .. found or '') ~= wanted then
      return 0
    end
  end
  at = at + 3
end
local first = at
while at <= #ARGV do
  local kind, key = takes[ARGV[at + 1]], KEYS[tonumber(ARGV[at + 2])]
  local found = redis.call('TYPE', key).ok
  if kind and found ~= kind and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. found .. ' and no ' .. kind)
  end
  at = at + 3 + tonumber(ARGV[at])
end
at = first
while at <= #ARGV do
  local count, name, key = tonumber(ARGV[at]), ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])]
  redis.call(name, key, unpack(ARGV, at + 3, at + 2 + count))
  at = at + 3 + count
end
return 1
