-- Tells what the cache holds, and how often it helped.
-- Uses: cache_items.lua.
-- KEYS: 1 order of last use, 2 order of expiry, 3 sizes of the items, 4 counts.
-- ARGV: 1 how many expired items are removed first, at most.
-- Answer: {number of items, bytes, hits, misses}.
forget_expired(ARGV[1])
local numbers = {redis.call('HLEN', sizes)}
for _, count in ipairs({'bytes', 'hits', 'misses'}) do
  table.insert(numbers, tonumber(redis.call('HGET', counts, count) or 0))
end
return numbers
