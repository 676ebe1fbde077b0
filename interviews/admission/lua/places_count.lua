-- Counts the places that are held, and the positions in the line.
-- KEYS: 1 places, 2 leases of the positions in the line.
-- ARGV: none.
-- Answer: {number of places that are held, number of candidates who wait}.
local now = redis.call('TIME')[1] * 1000  -- milliseconds
return {redis.call('ZCOUNT', KEYS[1], now, '+inf'), redis.call('ZCOUNT', KEYS[2], now, '+inf')}
