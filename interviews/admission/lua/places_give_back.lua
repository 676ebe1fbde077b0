-- Frees the place of an interview that is over.
-- Uses: places_leave.lua.
-- KEYS: 1 places, 2 since when each is held, 3 the line, 4 leases of the positions in the line,
--       5 those in the line who cannot enter now, 6 mean of the stays, 7 next turn, 8 epoch.
-- ARGV: 1 how many stays the mean follows, 2 id.
-- Answer: none.
give_back(ARGV[2], now)
