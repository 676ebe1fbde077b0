-- Tells for each list how many jobs wait in it, when the first was queued, and how many living slots serve it.
-- KEYS: for each list the list, then RQ's set of its workers.
-- ARGV: 1 prefix that makes an id the key of its job, 2 what a job needs, '' where any worker will do.
-- Answer: {TIME of Redis, a list with {number of jobs, time as RQ writes it or '' where nothing waits, living
--         slots, those of them that have what is needed} for each list}.
--
-- A slot lives while its entry does (voice.queues.leases). One that does not tell what it serves is of an
-- earlier release, or of a worker without models: it is taken to serve everything.
local job_prefix, needs = unpack(ARGV)

local function has(serves)
  return needs == '' or not serves or serves == '' or string.find(' ' .. serves .. ' ', ' ' .. needs .. ' ', 1, true)
end

local function slots_of(workers)
  local living, fit = 0, 0
  for _, worker in ipairs(redis.call('SMEMBERS', workers)) do
    local birth, serves = unpack(redis.call('HMGET', worker, 'birth', 'serves'))
    if birth then
      living = living + 1
      if has(serves) then fit = fit + 1 end
    end
  end
  return living, fit
end

local states = {}
for number = 1, #KEYS, 2 do
  local first = redis.call('LINDEX', KEYS[number], 0)
  local queued_at = first and redis.call('HGET', job_prefix .. first, 'enqueued_at')
  local living, fit = slots_of(KEYS[number + 1])
  states[#states + 1] = {redis.call('LLEN', KEYS[number]), queued_at or '', living, fit}
end
return {redis.call('TIME'), states}
