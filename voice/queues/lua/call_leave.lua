-- A reader leaves a call. When nobody else reads it, the call, its answer and its waiting job are forgotten.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio, 3 the answer, 4 the readers, 5 the queue, 6 the job,
--       7 the list that wakes the worker.
-- ARGV: 1 id of the call, 2 the reader, 3 id of the job.
-- Answer: how many readers are left.
redis.call('SREM', KEYS[4], ARGV[2])
local left = redis.call('SCARD', KEYS[4])
if left == 0 then
  end_call()
  redis.call('DEL', KEYS[3], KEYS[7])
  if redis.call('LREM', KEYS[5], 1, ARGV[3]) > 0 then redis.call('DEL', KEYS[6]) end
end
return left
