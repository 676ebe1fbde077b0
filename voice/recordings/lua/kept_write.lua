-- Keeps what was recognised of a recording that still grows, unless the recording is gone.
-- KEYS: 1 prefix of the recording's keys.
-- ARGV: 1 life of what is kept (seconds), then fields and values.
-- Answer: 1 if it is kept, 0 if Redis does not hold the recording: it was stored, discarded or erased.
local prefix = KEYS[1]
if redis.call('EXISTS', prefix .. ':meta') == 0 then return 0 end
redis.call('HSET', prefix .. ':kept', unpack(ARGV, 2))
redis.call('EXPIRE', prefix .. ':kept', ARGV[1])
return 1
