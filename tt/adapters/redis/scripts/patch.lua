-- Change fields of a hash in which other fields, or the same, are as they were read.
-- KEYS[1]: the hash. ARGV[1]: how many fields are compared; then that many pairs of a field and
-- its old text, then pairs of a field and its new text. A text is '=' and the text, or '' for none.
-- Returns 1; 0 where something differs or there is no hash: then nothing is written.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return 0
end
local last = 1 + 2 * tonumber(ARGV[1])
for i = 2, last, 2 do
  local found = redis.call('HGET', KEYS[1], ARGV[i])
  if (found and '=' .. found or '') ~= ARGV[i + 1] then
    return 0
  end
end
for i = last + 1, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], string.sub(ARGV[i + 1], 2))
  end
end
return 1
