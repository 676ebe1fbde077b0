-- Lets a call whose job was lost be queued again, once and before its first part, else fails it.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio, 3 the answer.
-- ARGV: 1 id of the call, 2 how long a job that was queued again may be in no list (seconds),
--       3 life of an answer that is complete (seconds), 4 meta of the failure.
-- Answer: 1 if the job is to be queued again, 0 if there is nothing to do, -1 if nothing is left of the call.
local answer, again_s, ttl_s, failure = KEYS[3], tonumber(ARGV[2]), ARGV[3], ARGV[4]
if redis.call('EXISTS', call) == 0 then return redis.call('EXISTS', answer) - 1 end
local now_s, again_at = redis.call('TIME')[1], redis.call('HGET', call, 'again')
if again_at and now_s - again_at < again_s then return 0 end
if again_at or redis.call('EXISTS', answer) == 1 then
  redis.call('XADD', answer, '*', 'kind', 'error', 'meta', failure, 'body', '')
  redis.call('EXPIRE', answer, ttl_s)
  end_call()
  return 0
end
redis.call('HDEL', call, 'worker')
redis.call('HSET', call, 'again', now_s)
return 1
