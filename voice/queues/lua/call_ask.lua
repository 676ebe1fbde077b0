-- Makes a call, or finds the one that does the same already, unless too much waits.
-- KEYS: 1 what those share who ask for the same, 2 the new call, 3 the queue, 4 the set of calls with audio.
-- ARGV: 1 id of the new call, 2 prefix that makes an id the key of its call,
--       3 suffix that makes a call the key of its readers, 4 the reader,
--       5 whether it may be shared (1 or 0), 6 limit of the queue (jobs), 7 limit of all audio (bytes),
--       8 life of the call (seconds), 9 request, 10 audio.
-- Answer: id of the call, another one than the new where it is shared; false where too much waits.
local share, call, queue, with_audio = unpack(KEYS)
local id, prefix, suffix, reader, is_shared = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local queue_limit, audio_limit = tonumber(ARGV[6]), tonumber(ARGV[7])
local ttl_s, request, audio = unpack(ARGV, 8)

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
if redis.call('LLEN', queue) >= queue_limit then return false end
if #audio > 0 then
  local held = #audio
  for _, other in ipairs(redis.call('SMEMBERS', with_audio)) do
    local size = redis.call('HSTRLEN', prefix .. other, 'audio')
    if size == 0 then redis.call('SREM', with_audio, other) end
    held = held + size
  end
  if held > audio_limit then return false end
  redis.call('SADD', with_audio, id)
end
local now = redis.call('TIME')
local asked_at = now[1] .. '.' .. string.format('%06d', now[2])
local shared_as = is_shared and share or ''
redis.call('HSET', call, 'request', request, 'audio', audio, 'asked_at', asked_at, 'share', shared_as)
redis.call('EXPIRE', call, ttl_s)
read_by(call)
if is_shared then redis.call('SET', share, id, 'EX', ttl_s) end
return id
