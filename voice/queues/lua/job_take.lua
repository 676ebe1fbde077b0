-- Takes the next job for a worker: of the first queue that has one, of the lowest rank, in the tenants' turn.
-- KEYS: 1 the worker's entry, then its queues in the order of their priority.
-- ARGV: 1 name of the worker, 2 life of its entry (seconds), 3 prefix that makes an id the key of its job,
--       4 prefix that makes a queue the key of its turns, 5 how long a turn is remembered (seconds),
--       then for each queue how many of its jobs are looked at; 1 takes the first, whoever's it is.
-- Answer: {number of the queue, from 1; id of the job; its fields and values}; false where nothing waits.
--
-- Whatever else lies under the key of a job counts as a job without fields or tenant.
-- From now on the job belongs to the worker for as long as the worker's entry lives.
local worker, name, ttl_s, job_prefix, turns_prefix, remembered_s = KEYS[1], unpack(ARGV)
local now = redis.call('TIME')
local now_s = now[1] + now[2] / 1000000

local function place_of(turns, job)
  local tenant, rank = unpack(redis.pcall('HMGET', job, 'tenant', 'rank'))
  if type(tenant) ~= 'string' then tenant = '' end
  return tonumber(rank or 0) or 0, tonumber(redis.call('ZSCORE', turns, tenant)) or 0, tenant
end

local function next_of(queue, look_at)
  local ids = redis.call('LRANGE', queue, 0, look_at - 1)
  if #ids <= 1 and look_at == 1 then return redis.call('LPOP', queue) end
  local turns, best, best_rank, best_turn, best_tenant = turns_prefix .. queue, nil, nil, nil, nil
  for _, id in ipairs(ids) do
    local rank, turn, tenant = place_of(turns, job_prefix .. id)
    if not best or rank < best_rank or (rank == best_rank and turn < best_turn) then
      best, best_rank, best_turn, best_tenant = id, rank, turn, tenant
    end
    if rank == 0 and turn == 0 then break end
  end
  if not best then return false end
  redis.call('LREM', queue, 1, best)
  redis.call('ZADD', turns, now_s, best_tenant)
  redis.call('ZREMRANGEBYSCORE', turns, '-inf', now_s - remembered_s)
  redis.call('EXPIRE', turns, remembered_s)
  return best
end

redis.call('HDEL', worker, 'current_job')
for number = 2, #KEYS do
  local id = next_of(KEYS[number], tonumber(ARGV[number + 4]))
  while id do
    local job = redis.pcall('HGETALL', job_prefix .. id)
    if #job > 0 then
      redis.call('HSET', job_prefix .. id, 'worker_name', name)
      redis.call('HSET', worker, 'current_job', id)
      redis.call('EXPIRE', worker, ttl_s)
      return {number - 1, id, job}
    end
    id = next_of(KEYS[number], tonumber(ARGV[number + 4]))  -- that job had waited for too long
  end
end
return false
