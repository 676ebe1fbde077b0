-- Makes a call, or finds the one that does the same already, unless too much of the tenant's waits.
-- KEYS: 1 what those share who ask for the same, 2 the new call, 3 the queue, 4 the set of calls with audio.
-- ARGV: 1 id of the new call, 2 prefix that makes an id the key of its call,
--       3 suffix that makes a call the key of its readers, 4 the reader, 5 the tenant,
--       6 prefix that makes an id the key of its job, 7 whether it may be shared (1 or 0),
--       8 how many jobs of one tenant may wait, 9 limit of all audio (bytes),
--       10 life of the call (seconds), 11 request, 12 audio.
-- Answer: id of the call, another one than the new where it is shared; false where too much waits.
--
-- Of the audio a tenant may have as much as is left to the others: so there is always room for one more.
local share, call, queue, with_audio = unpack(KEYS)
local id, prefix, suffix, reader, tenant, job_prefix = unpack(ARGV)
local is_shared, queue_limit, audio_limit = ARGV[7] == '1', tonumber(ARGV[8]), tonumber(ARGV[9])
local ttl_s, request, audio = unpack(ARGV, 10)

local function read_by(key)
  redis.call('SADD', key .. suffix, reader)
  redis.call('EXPIRE', key .. suffix, ttl_s)
end

if is_shared then
  local running = redis.call('GET', share)
  if running and redis.call('EXISTS', prefix .. running) == 1 then
    read_by(prefix .. running)
    return running
  end
end
local function waiting_of_tenant()
  local count = 0
  for _, job in ipairs(redis.call('LRANGE', queue, 0, -1)) do
    local whose = redis.pcall('HGET', job_prefix .. job, 'tenant') or ''
    if whose == tenant then count = count + 1 end
  end
  return count
end

if redis.call('LLEN', queue) >= queue_limit and waiting_of_tenant() >= queue_limit then return false end
if #audio > 0 then
  local held, own = 0, #audio
  for _, other in ipairs(redis.call('SMEMBERS', with_audio)) do
    local size = redis.call('HSTRLEN', prefix .. other, 'audio')
    if size == 0 then redis.call('SREM', with_audio, other) end
    if redis.call('HGET', prefix .. other, 'tenant') == tenant then own = own + size end
    held = held + size
  end
  if own > audio_limit - held then return false end
  redis.call('SADD', with_audio, id)
end
local now = redis.call('TIME')
local asked_at = now[1] .. '.' .. string.format('%06d', now[2])
local shared_as = is_shared and share or ''
redis.call('HSET', call, 'request', request, 'audio', audio, 'asked_at', asked_at, 'share', shared_as,
           'tenant', tenant)
redis.call('EXPIRE', call, ttl_s)
read_by(call)
if is_shared then redis.call('SET', share, id, 'EX', ttl_s) end
return id
