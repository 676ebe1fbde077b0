-- Gives a connection a place among its caller's connections, or renews the place that it has.
-- KEYS: 1 places of the caller's connections, by the second in which they lapse.
-- ARGV: 1 the connection, 2 limit (connections), 3 length of a lease (seconds).
-- Answer: 1 if it has a place now, else 0.
local places, connection, limit, lease_s = KEYS[1], ARGV[1], tonumber(ARGV[2]), ARGV[3]
local now_s = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', places, '-inf', now_s)
if not redis.call('ZSCORE', places, connection) and redis.call('ZCARD', places) >= limit then return 0 end
redis.call('ZADD', places, now_s + lease_s, connection)
redis.call('EXPIRE', places, lease_s)
return 1
