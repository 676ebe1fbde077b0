-- Bars a candidate in the line who has gone, so that those behind need not wait.
-- KEYS: 1 the line, 2 those in the line who cannot enter now.
-- ARGV: 1 id.
-- Answer: none.
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at then redis.call('ZADD', KEYS[2], at, ARGV[1]) end
