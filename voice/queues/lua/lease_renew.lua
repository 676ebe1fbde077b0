-- Prolongs the lease on a running job; a job that has just ended is not brought back.
-- KEYS: 1 the execution, 2 the queue's registry of started jobs, 3 the job's registry of executions,
--       4 the job.
-- ARGV: 1 now (seconds since 1970), 2 length of a lease (seconds),
--       3 life of an entry in a registry (seconds), 4 entry in the queue's registry, 5 entry in the job's registry, 6 now, as RQ writes it into a job.
-- Answer: 1 if the lease was prolonged, 0 if there is none.
local execution, started, executions, job = unpack(KEYS)
local now_s, lease_s, registry_ttl_s = ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', execution) == 0 then return 0 end
redis.call('HSET', execution, 'last_heartbeat', now_s)
redis.call('EXPIRE', execution, lease_s)
redis.call('ZADD', started, 'XX', now_s + registry_ttl_s, ARGV[4])
redis.call('ZADD', executions, 'XX', now_s + 2 * registry_ttl_s, ARGV[5])
redis.call('EXPIRE', executions, 2 * registry_ttl_s)
redis.call('HSET', job, 'last_heartbeat', ARGV[6])
return 1
