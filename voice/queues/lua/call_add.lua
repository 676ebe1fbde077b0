-- Adds a part to the answer of a call, once, if it comes from the worker that claimed the call.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio, 3 the answer.
-- ARGV: 1 id of the call, 2 token of the worker, 3 number of the part, 4 its kind (part, done or error),
--       5 its meta, 6 its body, 7 life of the call and the answer (seconds).
-- Answer: 1 if the answer has the part now, else 0.
local answer, token, number, kind, meta, body, ttl_s = KEYS[3], unpack(ARGV, 2)
local entry_id = number .. '-1'
if redis.call('HGET', call, 'worker') ~= token then
  local last = redis.call('XREVRANGE', answer, '+', '-', 'COUNT', 1)[1]
  return last and last[1] == entry_id and 1 or 0
end
if redis.call('HINCRBY', call, 'sent', 0) < tonumber(number) then
  redis.call('XADD', answer, entry_id, 'kind', kind, 'meta', meta, 'body', body)
  redis.call('HSET', call, 'sent', number)
end
redis.call('EXPIRE', call, ttl_s)
redis.call('EXPIRE', answer, ttl_s)
if kind ~= 'part' then end_call() end
return 1
