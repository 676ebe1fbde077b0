-- Sets the limit of a recording to what is held, if that is enough.
-- Uses: buffer_segments.lua.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 size of a whole segment (bytes), 2 how much is enough (bytes).
-- Answer: how much is held without a gap (bytes); 0 of a recording that is not known.
local found = redis.call('HMGET', meta, 'filling', 'stored', 'limit')
if not found[3] then return 0 end
local held = held_in(tonumber(found[1]), tonumber(found[2]))
if held >= tonumber(ARGV[2]) then redis.call('HSET', meta, 'limit', held) end
return held
