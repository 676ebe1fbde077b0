-- Defines functions on the segments of one recording, for the scripts that use this file.
-- KEYS: 1 prefix of the recording's keys; the keys of its hash and of its segments follow from it.
-- ARGV: 1 size of a whole segment (bytes).
-- Answer: none; the script that uses this file gives it.
--
-- Of the segment in which `stored` ends, the key has only the bytes after it.
local prefix, meta, segment_bytes = KEYS[1], KEYS[1] .. ':meta', tonumber(ARGV[1])

local function segment(n) return prefix .. ':' .. n end

local function held_in(filling, stored)
  return math.max(filling * segment_bytes, stored) + redis.call('STRLEN', segment(filling))
end

-- Forgets the bytes before `to`; returns the number of the segment that grows.
local function forget(stored, filling, to)
  local first, last = math.floor(stored / segment_bytes), math.floor(to / segment_bytes)
  for n = first, math.min(last - 1, filling) do redis.call('DEL', segment(n)) end
  local gone = to - math.max(last * segment_bytes, stored)
  if gone > 0 then
    local rest = redis.call('GETRANGE', segment(last), gone, -1)
    local ttl_s = math.max(redis.call('TTL', segment(last)), 1)
    redis.call('DEL', segment(last))  -- first: SET is refused while Redis is full
    if #rest > 0 then redis.call('SET', segment(last), rest, 'EX', ttl_s) end
  end
  filling = math.max(filling, last)
  redis.call('HSET', meta, 'stored', to, 'filling', filling)
  return filling
end
