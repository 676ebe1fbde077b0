-- Takes back one request that was counted, if its window has not ended.
-- KEYS: 1 count of the caller's requests.
-- ARGV: none.
-- Answer: none.
if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then redis.call('DECR', KEYS[1]) end
