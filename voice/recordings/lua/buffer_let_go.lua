-- Forgets what object storage holds of a recording.
-- Uses: buffer_segments.lua.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 size of a whole segment (bytes), 2 how much object storage holds (bytes).
-- Answer: none.
local found = redis.call('HMGET', meta, 'stored', 'filling')
local stored, to = tonumber(found[1]), tonumber(ARGV[2])
if found[2] and to > stored then forget(stored, tonumber(found[2]), to) end
