-- Forgets a call and its answer.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio, 3 the answer.
-- ARGV: 1 id of the call.
-- Answer: none.
end_call()
redis.call('DEL', KEYS[3])
