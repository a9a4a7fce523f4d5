-- Do commands if all that they rest on is as it was read: one transition of a town.
-- KEYS: all keys. ARGV: 1 how many conditions there are; then each condition: the number of a key,
-- a field of that hash and its text, '=' and the text or '' for none; where the field is '', the
-- key is a list that has to hold the text after the '='. Then each command: how many arguments
-- follow its key, its name, the number of its key, the arguments. One is our own: WORD, with the
-- arguments `most` and a message, puts word of a task's end at the end of an inbox.
-- Returns 1; 0 where a condition does not hold, an error where a key is of another type than a
-- command takes: then nothing is written.
local takes = {
  HSET = 'hash', HDEL = 'hash', RPUSH = 'list', LPUSH = 'list', LREM = 'list', XADD = 'stream',
  WORD = 'list',
}
-- Where `most` messages or more are unread, the oldest word among the first hundred goes; where
-- there is none, the new one does. What else people and agents write is never touched.
local function word(inbox, most, message)
  if redis.call('LLEN', inbox) >= tonumber(most) then
    local oldest
    for _, text in ipairs(redis.call('LRANGE', inbox, 0, 99)) do
      local is_json, found = pcall(cjson.decode, text)
      local kind = is_json and type(found) == 'table' and found.type
      if kind == 'task_done' or kind == 'task_failed' then
        oldest = text
        break
      end
    end
    if not oldest then
      return
    end
    redis.call('LREM', inbox, 1, oldest)
  end
  redis.call('RPUSH', inbox, message)
end
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
  if name == 'WORD' then
    word(key, ARGV[at + 3], ARGV[at + 4])
  else
    redis.call(name, key, unpack(ARGV, at + 3, at + 2 + count))
  end
  at = at + 3 + count
end
return 1
