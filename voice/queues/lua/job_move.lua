-- Moves a job that waits in one list to the front of another, unless it has left the first.
-- KEYS: 1 the list where it waits, 2 the other list, 3 the job, 4 the other list's bell.
-- ARGV: 1 id of the job, 2 name of the other list, 3 now, as RQ writes it, 4 how many rings are kept,
--       5 queue of the job, 6 its rank in the other list.
-- Answer: 1 if it was moved, else 0.
local from, to, job, bell = unpack(KEYS)
local id, name, now, rings, queue, rank = unpack(ARGV)
if redis.call('LREM', from, 1, id) == 0 then return 0 end
if redis.call('EXISTS', job) == 0 then return 0 end  -- it had waited for too long
redis.call('HSET', job, 'origin', name, 'enqueued_at', now, 'queue', queue, 'rank', rank)
redis.call('LPUSH', to, id)
redis.call('RPUSH', bell, 1)
redis.call('LTRIM', bell, -rings, -1)
return 1
