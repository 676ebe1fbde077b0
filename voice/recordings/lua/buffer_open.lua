-- Lets one connection write to a recording from now on, and no other one.
-- Uses: buffer_segments.lua.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 size of a whole segment (bytes), 2 the connection that may write, 3 limit of the recording (bytes),
--       4 how much object storage holds (bytes), 5 longest life of the keys (seconds).
-- Answer: how much is held without a gap (bytes); false of a recording that was just erased.
local writer, limit, ttl_s = ARGV[2], ARGV[3], ARGV[5]
if redis.call('EXISTS', prefix .. ':erased') == 1 then return false end
local found = redis.call('HMGET', meta, 'stored', 'filling')
local known, filling = tonumber(found[1] or 0), tonumber(found[2] or 0)
local stored = math.max(tonumber(ARGV[4]), known)
if stored > known or not found[1] then filling = forget(known, filling, stored) end
redis.call('HSET', meta, 'writer', writer, 'limit', limit)
redis.call('EXPIRE', meta, ttl_s)
for n = math.floor(stored / segment_bytes), filling do redis.call('EXPIRE', segment(n), ttl_s) end
return held_in(filling, stored)
