-- Tells how much of a recording is held, and since when nobody has gone on with it.
-- Uses: buffer_segments.lua.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 size of a whole segment (bytes), 2 longest life of the keys (seconds).
-- Answer: {how much object storage holds (bytes), how much is held without a gap (bytes), how long nobody has
--         gone on (seconds)}; zeros of a recording that is not known.
local found = redis.call('HMGET', meta, 'stored', 'filling')
if not found[2] then return {0, 0, 0} end
local stored, filling = tonumber(found[1]), tonumber(found[2])
local newest_s = math.max(redis.call('TTL', segment(filling)), redis.call('TTL', segment(filling - 1)))
return {stored, held_in(filling, stored), ARGV[2] - newest_s}
