-- Notes that the only reader of a call has taken the parts of its answer up to one, and drops them.
-- KEYS: 1 the call, 2 the answer, 3 the list that wakes the worker.
-- ARGV: 1 number of the last part that was taken, 2 life of the call and the answer (seconds).
-- Answer: none.
local call, answer, woken = unpack(KEYS)
local taken, ttl_s = ARGV[1], ARGV[2]
redis.call('XTRIM', answer, 'MINID', (taken + 1) .. '-0')
redis.call('EXPIRE', answer, ttl_s)
if redis.call('EXISTS', call) == 0 then return end
redis.call('HSET', call, 'taken', taken)
redis.call('EXPIRE', call, ttl_s)
redis.call('DEL', woken)
redis.call('RPUSH', woken, taken)
redis.call('EXPIRE', woken, ttl_s)
