-- Say whose a town is, unless it is another repository's, and raise its counter where asked.
-- KEYS[1]: the town's hash. ARGV: 1 identities (separated by spaces), 2 branch, 3 epoch, 4 floor,
-- 5 '1' to raise the counter to max(its own, floor) + 1, 6 how many identities are kept at most.
-- Returns the counter and the identities; -1 and the identities where none is shared with ours:
-- then nothing is written.
local key = KEYS[1]
local owner = redis.call('HGET', key, 'repo') or ''
local ours, known, names = {}, {}, {}
for name in string.gmatch(ARGV[1], '%S+') do
  ours[name] = true
end
local shared = owner == ''
for name in string.gmatch(owner, '%S+') do
  shared = shared or ours[name]
  known[name] = true
  names[#names + 1] = name
end
if not shared then
  return {-1, owner}
end
for name in string.gmatch(ARGV[1], '%S+') do
  if not known[name] then
    known[name] = true
    names[#names + 1] = name
  end
end
local surplus = #names - tonumber(ARGV[6])
local kept = {}
for _, name in ipairs(names) do
  if surplus > 0 and not ours[name] then
    surplus = surplus - 1
  else
    kept[#kept + 1] = name
  end
end
local repo = table.concat(kept, ' ', 1, math.min(#kept, tonumber(ARGV[6])))
for field, text in pairs({repo = repo, branch = ARGV[2], epoch = ARGV[3]}) do
  if text ~= '' and redis.call('HGET', key, field) ~= text then
    redis.call('HSET', key, field, text)
  end
end
local seq = tonumber(redis.call('HGET', key, 'seq') or 0) or 0
if not (seq >= 0 and seq < 1e15) then -- no counter of ours: it is read as 0, too
  seq = 0
end
if ARGV[5] == '1' then
  seq = math.max(seq, tonumber(ARGV[4])) + 1
  redis.call('HSET', key, 'seq', string.format('%.0f', seq))
end
return {seq, repo}
