-- Ends a probe that says nothing about the engine.
-- KEYS: 1 the breaker, 2 lives while it is open, 3 lives while a probe is under way.
-- ARGV: 1 token of the probe.
-- Answer: none.
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
