-- Forgets a candidate who was erased: no stay is measured.
-- Uses: places_leave.lua.
-- KEYS: 1 places, 2 since when each is held, 3 the line, 4 leases of the positions in the line,
--       5 those in the line who cannot enter now, 6 mean of the stays, 7 next turn, 8 epoch.
-- ARGV: 1 how many stays the mean follows, 2 id.
-- Answer: none.
redis.call('ZREM', places, ARGV[2])
redis.call('HDEL', since, ARGV[2])
leave_line(ARGV[2])
