-- Counts a request in a window that begins with the first request.
-- KEYS: 1 count of the caller's requests.
-- ARGV: 1 length of the window (seconds).
-- Answer: {number of requests in the window, time until the next window (seconds)}.
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {used, redis.call('TTL', KEYS[1])}
