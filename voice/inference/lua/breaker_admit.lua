-- Says whether a call may pass a breaker, and lets one through as the probe if it is half-open.
-- KEYS: 1 the breaker, 2 lives while it is open, 3 lives while a probe is under way.
-- ARGV: 1 token of the probe, 2 longest life of a probe (milliseconds).
-- Answer: {closed, open, half_open (this call is the probe) or probed (another call is), failures in a row,
--         how long it stays open (milliseconds), reason of the last failure}.
local breaker, open, probe = unpack(KEYS)
local kept = redis.call('HMGET', breaker, 'is_open', 'failures', 'reason')
local failures, reason = tonumber(kept[2] or 0), kept[3] or ''
if kept[1] ~= '1' then return {'closed', failures, 0, reason} end
local left_ms = redis.call('PTTL', open)
if left_ms > 0 then return {'open', failures, left_ms, reason} end
if redis.call('SET', probe, ARGV[1], 'NX', 'PX', ARGV[2]) then return {'half_open', failures, 0, reason} end
return {'probed', failures, 0, reason}
