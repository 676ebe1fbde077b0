-- Tells for each queue how many jobs wait in it, and when the first of them was queued.
-- KEYS: the queues.
-- ARGV: 1 prefix that makes an id the key of its job.
-- Answer: {TIME of Redis, a list with {number of jobs, time as RQ writes it or '' where nothing waits} for
--         each queue}.
--
-- The age is by the clock of Redis, so all processes read the same. The time of queueing is by the clock of
-- the process that queued the job.
local waits = {}
for _, queue in ipairs(KEYS) do
  local first = redis.call('LINDEX', queue, 0)
  local queued_at = first and redis.call('HGET', ARGV[1] .. first, 'enqueued_at')
  waits[#waits + 1] = {redis.call('LLEN', queue), queued_at or ''}
end
return {redis.call('TIME'), waits}
