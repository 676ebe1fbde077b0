-- Defines end_call, which forgets the request of a call, for the scripts that use this file.
-- KEYS: 1 the call, 2 the set of calls with audio.
-- ARGV: 1 id of the call.
-- Answer: none; the script that uses this file gives it.
local call, with_audio, id = KEYS[1], KEYS[2], ARGV[1]

local function end_call()
  local share = redis.call('HGET', call, 'share')
  if share and share ~= '' and redis.call('GET', share) == id then redis.call('DEL', share) end
  redis.call('DEL', call)
  redis.call('SREM', with_audio, id)
end
