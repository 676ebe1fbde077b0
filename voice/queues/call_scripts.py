"""The steps of a call (`voice.queues.calls`) as atomic Lua scripts.

A call is the hash `voice:call:<id>` (request, audio, asked_at, share; worker: the token of the worker that
claimed it; sent: parts so far; again: when it was queued a second time) and the stream
`voice:call:<id>:answer`.
"""

from typing import Any

AGAIN_S = 10
"""A job that was queued again may be in no list for some seconds."""

AUDIO = "voice:calls:audio"
SHARES = "voice:call:shared:"

# KEYS: share, call, queue. ARGV: id, queue limit, request, audio, ttl, audio limit in bytes, is shared
ASK = f"""
if ARGV[7] == '1' then
  local running = redis.call('GET', KEYS[1])
  if running and redis.call('EXISTS', 'voice:call:' .. running) == 1 then return running end
end
if redis.call('LLEN', KEYS[3]) >= tonumber(ARGV[2]) then return false end
if #ARGV[4] > 0 then
  local held = #ARGV[4]
  for _, id in ipairs(redis.call('SMEMBERS', '{AUDIO}')) do
    local size = redis.call('HSTRLEN', 'voice:call:' .. id, 'audio')
    if size == 0 then redis.call('SREM', '{AUDIO}', id) end
    held = held + size
  end
  if held > tonumber(ARGV[6]) then return false end
  redis.call('SADD', '{AUDIO}', ARGV[1])
end
local now = redis.call('TIME')
local asked_at = now[1] .. '.' .. string.format('%06d', now[2])
local share = ARGV[7] == '1' and KEYS[1] or ''
redis.call('HSET', KEYS[2], 'request', ARGV[3], 'audio', ARGV[4], 'asked_at', asked_at, 'share', share)
redis.call('EXPIRE', KEYS[2], ARGV[5])
if ARGV[7] == '1' then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[5]) end
return ARGV[1]
"""

END = f"""
local function end_call(id)
  local share = redis.call('HGET', 'voice:call:' .. id, 'share')
  if share and share ~= '' and redis.call('GET', share) == id then redis.call('DEL', share) end
  redis.call('DEL', 'voice:call:' .. id)
  redis.call('SREM', '{AUDIO}', id)
end
"""

# KEYS: call. ARGV: id, token, longest wait, ttl
CLAIM = (
    END
    + """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local now, asked_at = redis.call('TIME'), redis.call('HGET', KEYS[1], 'asked_at')
local age = now[1] + now[2] / 1000000 - asked_at
if age > tonumber(ARGV[3]) then end_call(ARGV[1]) return false end
if redis.call('HSETNX', KEYS[1], 'worker', ARGV[2]) == 0 then return false end
redis.call('EXPIRE', KEYS[1], ARGV[4])
local fields = redis.call('HMGET', KEYS[1], 'request', 'audio')
return {fields[1], fields[2], tostring(age)}
"""
)

# KEYS: call, answer. ARGV: id, token, number of the part, kind, meta, body, ttl
ADD = (
    END
    + """
if redis.call('HGET', KEYS[1], 'worker') ~= ARGV[2] then
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  return last and last[1] == ARGV[3] .. '-1' and 1 or 0
end
if redis.call('HINCRBY', KEYS[1], 'sent', 0) < tonumber(ARGV[3]) then
  redis.call('XADD', KEYS[2], ARGV[3] .. '-1', 'kind', ARGV[4], 'meta', ARGV[5], 'body', ARGV[6])
  redis.call('HSET', KEYS[1], 'sent', ARGV[3])
end
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[7])
if ARGV[4] ~= 'part' then end_call(ARGV[1]) end
return 1
"""
)

# KEYS: call, answer. ARGV: id, ttl. The job is in no queue and no worker holds a lease on it.
ABANDONED = (
    END
    + f"""
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.call('EXISTS', KEYS[2]) - 1 end
local now, again = redis.call('TIME')[1], redis.call('HGET', KEYS[1], 'again')
if again and now - again < {AGAIN_S} then return 0 end
if again or redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('XADD', KEYS[2], '*', 'kind', 'error', 'meta', ARGV[3], 'body', '')
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  end_call(ARGV[1])
  return 0
end
redis.call('HDEL', KEYS[1], 'worker')
redis.call('HSET', KEYS[1], 'again', now)
return 1
"""
)

FORGET = END + "end_call(ARGV[1]) redis.call('DEL', KEYS[1])"


CALL_TTL_S = 300
"""A call expires this many seconds after the last activity of its worker and its readers."""
ANSWERED_TTL_S = 120
"""How many seconds a complete answer is kept for a reader that is busy with earlier parts."""
WAIT_S = 120.0
"""The longest wait in a queue; after it readers give up, and workers do not start."""
Meta = dict[str, Any]


def request_key(call_id: str) -> str:
    return f"voice:call:{call_id}"


def answer_key(call_id: str) -> str:
    return f"voice:call:{call_id}:answer"


def job_id(call_id: str) -> str:
    return f"call-{call_id}"
