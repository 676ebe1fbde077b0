-- Reads an item, and counts the hit or the miss.
-- Uses: cache_items.lua.
-- KEYS: 1 order of last use, 2 order of expiry, 3 sizes of the items, 4 counts, 5 the item.
-- ARGV: 1 name of the item in the bookkeeping.
-- Answer: {body, meta}; false where there is none.
local name = ARGV[1]
local item = redis.call('HMGET', KEYS[5], 'body', 'meta')
if not item[1] then
  forget(name)
  redis.call('HINCRBY', counts, 'misses', 1)
  return false
end
use(name)
redis.call('HINCRBY', counts, 'hits', 1)
return item
