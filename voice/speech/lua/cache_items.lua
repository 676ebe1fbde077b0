-- Defines functions on the bookkeeping of the cache, for the scripts that use this file.
-- KEYS: 1 order of last use, 2 order of expiry, 3 sizes of the items, 4 counts.
-- ARGV: none.
-- Answer: none; the script that uses this file gives it.
local used, expiry, sizes, counts = unpack(KEYS)

local function forget(name)
  local size = redis.call('HGET', sizes, name)
  if not size then return end
  redis.call('HDEL', sizes, name)
  redis.call('ZREM', used, name)
  redis.call('ZREM', expiry, name)
  redis.call('HINCRBY', counts, 'bytes', -size)
end

local function now_ms()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

local function forget_expired(at_most)
  local over = redis.call('ZRANGEBYSCORE', expiry, '-inf', now_ms(), 'LIMIT', 0, at_most)
  for _, name in ipairs(over) do forget(name) end
end

local function use(name)
  redis.call('ZADD', used, redis.call('HINCRBY', counts, 'uses', 1), name)
end
