-- A reader leaves a call. When nobody else reads it, the call, its answer and its waiting job are forgotten.
-- Uses: call_end.lua.
-- KEYS: 1 the call, 2 the set of calls with audio, 3 the answer, 4 the readers, 5 the job,
--       6 the list that wakes the worker.
-- ARGV: 1 id of the call, 2 the reader, 3 id of the job, 4 prefix that makes a list's name its key.
-- Answer: how many readers are left.
redis.call('SREM', KEYS[4], ARGV[2])
local left = redis.call('SCARD', KEYS[4])
if left == 0 then
  end_call()
  redis.call('DEL', KEYS[3], KEYS[6])
  local list = redis.call('HGET', KEYS[5], 'origin')
  if list and redis.call('LREM', ARGV[4] .. list, 1, ARGV[3]) > 0 then redis.call('DEL', KEYS[5]) end
end
return left
