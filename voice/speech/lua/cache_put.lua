-- Writes an item, and removes the least recently used until the bound holds.
-- Uses: cache_items.lua.
-- KEYS: 1 order of last use, 2 order of expiry, 3 sizes of the items, 4 counts, 5 the item.
-- ARGV: 1 name of the item in the bookkeeping, 2 prefix that makes the name of an item its key,
--       3 life of the item (milliseconds), 4 bound of all items (bytes),
--       5 how many expired items are removed at most, 6 body, 7 meta.
-- Answer: none.
--
-- The keys of other items are made here, because it turns out only here which items go.
local item, name, prefix = KEYS[5], ARGV[1], ARGV[2]
local ttl_ms, bound, body, meta = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[6], ARGV[7]

local function count_again()  -- some of the bookkeeping was lost
  for _, other in ipairs(redis.call('ZRANGE', used, 0, -1)) do
    if redis.call('HEXISTS', sizes, other) == 0 then
      redis.call('UNLINK', prefix .. other)
      redis.call('ZREM', used, other)
    end
  end
  local held, all = 0, redis.call('HGETALL', sizes)
  for i = 1, #all, 2 do
    redis.call('ZADD', used, 'NX', 0, all[i])
    held = held + all[i + 1]
  end
  redis.call('HSET', counts, 'bytes', held)
  return held
end

local size = #body + #meta
forget_expired(ARGV[5])
forget(name)
redis.call('HSET', item, 'body', body, 'meta', meta)
redis.call('PEXPIRE', item, ttl_ms)
redis.call('HSET', sizes, name, size)
redis.call('ZADD', expiry, now_ms() + ttl_ms, name)
use(name)

local is_counted = redis.call('HEXISTS', counts, 'bytes') == 1
local held = redis.call('HINCRBY', counts, 'bytes', size)
local is_whole = is_counted and held >= size and redis.call('HLEN', sizes) == redis.call('ZCARD', used)
if not is_whole then held = count_again() end
while held > bound do
  local oldest = redis.call('ZRANGE', used, 0, 0)[1]
  if not oldest or oldest == name then break end
  redis.call('UNLINK', prefix .. oldest)
  forget(oldest)
  held = tonumber(redis.call('HGET', counts, 'bytes'))
end
