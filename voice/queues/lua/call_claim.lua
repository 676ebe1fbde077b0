-- Claims a call for a worker, unless another one has it or it has waited for too long.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio.
-- ARGV: 1 id of the call, 2 token of the worker, 3 longest wait (seconds), 4 life of the call (seconds).
-- Answer: {request, audio, age of the call (seconds, as text)}; false where the worker has nothing to do.
local token, longest_wait_s, ttl_s = ARGV[2], tonumber(ARGV[3]), ARGV[4]
if redis.call('EXISTS', call) == 0 then return false end
local now, asked_at = redis.call('TIME'), redis.call('HGET', call, 'asked_at')
local age_s = now[1] + now[2] / 1000000 - asked_at
if age_s > longest_wait_s then
  end_call()
  return false
end
if redis.call('HSETNX', call, 'worker', token) == 0 then return false end
redis.call('EXPIRE', call, ttl_s)
local request, audio = unpack(redis.call('HMGET', call, 'request', 'audio'))
return {request, audio, tostring(age_s)}
