-- Lets others have the jobs of workers that end.
-- KEYS: the workers' entries.
-- ARGV: 1 prefix that makes an id the key of its job, 2 1: the jobs are drained, which is noted in them; else 0.
-- Answer: none.
local prefix, is_drained = unpack(ARGV)
for _, worker in ipairs(KEYS) do
  local id = redis.call('HGET', worker, 'current_job')
  redis.call('HDEL', worker, 'current_job')
  if id and is_drained == '1' and redis.call('EXISTS', prefix .. id) == 1 then
    redis.pcall('HSET', prefix .. id, 'drained', 1)
  end
end
