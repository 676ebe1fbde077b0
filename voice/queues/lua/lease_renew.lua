-- Prolongs the lease of a worker, and what RQ keeps of the job that it runs.
-- KEYS: 1 the worker's entry; with a job also 2 the execution, 3 the queue's registry of started jobs,
--       4 the job's registry of executions, 5 the job.
-- ARGV: 1 length of a lease (seconds), 2 now, as RQ writes it; with a job also 3 now (seconds since 1970),
--       4 life of an entry in a registry (seconds), 5 entry in the queue's registry,
--       6 entry in the job's registry.
-- Answer: none.
--
-- A job that has just ended is not brought back.
local worker, execution, started, executions, job = unpack(KEYS)
local lease_s, now, now_s, registry_ttl_s, in_started, in_executions = unpack(ARGV)
if redis.call('EXPIRE', worker, lease_s) == 1 then redis.call('HSET', worker, 'last_heartbeat', now) end
if not execution or redis.call('EXISTS', execution) == 0 then return end
redis.call('HSET', execution, 'last_heartbeat', now_s)
redis.call('EXPIRE', execution, registry_ttl_s)
redis.call('ZADD', started, 'XX', now_s + registry_ttl_s, in_started)
redis.call('ZADD', executions, 'XX', now_s + 2 * registry_ttl_s, in_executions)
redis.call('EXPIRE', executions, 2 * registry_ttl_s)
redis.call('HSET', job, 'last_heartbeat', now)
