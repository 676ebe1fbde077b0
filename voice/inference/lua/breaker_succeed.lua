-- Notes a success: a closed breaker forgets its failures, a half-open one closes after enough of them.
-- KEYS: 1 the breaker, 2 lives while it is open, 3 lives while a probe is under way.
-- ARGV: 1 token of the probe, '' if the call was none, 2 how many successes close the breaker.
-- Answer: none that is read.
local breaker, _, probe = unpack(KEYS)
if redis.call('HGET', breaker, 'is_open') ~= '1' then return redis.call('DEL', breaker) end
if redis.call('GET', probe) ~= ARGV[1] then return 0 end  -- it was let through before the breaker opened
redis.call('DEL', probe)
local successes = redis.call('HINCRBY', breaker, 'successes', 1)
if successes >= tonumber(ARGV[2]) then redis.call('DEL', unpack(KEYS)) end
