-- Forgets an item.
-- Uses: cache_items.lua.
-- KEYS: 1 order of last use, 2 order of expiry, 3 sizes of the items, 4 counts, 5 the item.
-- ARGV: 1 name of the item in the bookkeeping.
-- Answer: none.
forget(ARGV[1])
redis.call('UNLINK', KEYS[5])
