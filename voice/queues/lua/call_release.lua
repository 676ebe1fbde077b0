-- Lets another worker claim a call, if this one has claimed it and sent nothing.
-- KEYS: 1 the call, 2 the answer.
-- ARGV: 1 token of the worker, 2 life of the call (seconds).
-- Answer: 1 if another worker may claim it, else 0.
local call, answer = unpack(KEYS)
if redis.call('HGET', call, 'worker') ~= ARGV[1] or redis.call('EXISTS', answer) == 1 then return 0 end
redis.call('HDEL', call, 'worker')
redis.call('EXPIRE', call, ARGV[2])
return 1
