-- Forgets a recording whole.
-- Uses: buffer_segments.lua.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 size of a whole segment (bytes).
-- Answer: none.
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return end
local first, last = math.floor(tonumber(found[1]) / segment_bytes), tonumber(found[2])
for n = first, last do redis.call('DEL', segment(n)) end
redis.call('DEL', meta)
