-- Notes a failure: enough of them in a row open the breaker, and a failed probe opens it again.
-- KEYS: 1 the breaker, 2 lives while it is open, 3 lives while a probe is under way.
-- ARGV: 1 token of the probe, '' if the call was none, 2 how many failures open the breaker,
--       3 how long it stays open (milliseconds), 4 how long a failure is remembered (seconds), 5 reason.
-- Answer: none.
local breaker, open, probe = unpack(KEYS)
local token, limit, open_ms, forgotten_after_s, reason = ARGV[1], tonumber(ARGV[2]), unpack(ARGV, 3)
local is_open = redis.call('HGET', breaker, 'is_open') == '1'
if is_open and redis.call('GET', probe) ~= token then return end  -- let through before the breaker opened
local failures = redis.call('HINCRBY', breaker, 'failures', 1)
redis.call('HSET', breaker, 'reason', reason)
redis.call('EXPIRE', breaker, forgotten_after_s)
if is_open or failures >= limit then
  redis.call('HSET', breaker, 'is_open', '1', 'successes', 0)
  redis.call('SET', open, '1', 'PX', open_ms)
  redis.call('DEL', probe)
end
