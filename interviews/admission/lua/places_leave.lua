-- Defines the ends of a stay and of a wait, for the scripts that use this file.
-- KEYS: 1 places, 2 since when each is held, 3 the line, 4 leases of the positions in the line,
--       5 those in the line who cannot enter now, 6 mean of the stays, 7 next turn, 8 epoch.
-- ARGV: 1 how many stays the mean follows.
-- Answer: none; the script that uses this file gives it.
local places, since, line, line_leases, barred, stays, next_turn_key, epoch_key = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)  -- milliseconds

local function give_back(id, at)
  local from = redis.call('HGET', since, id)
  if from then
    local count = math.min(redis.call('HINCRBY', stays, 'count', 1), tonumber(ARGV[1]))
    local mean = tonumber(redis.call('HGET', stays, 'mean_ms') or 0)
    mean = mean + (math.max(0, at - from) - mean) / count
    redis.call('HSET', stays, 'count', count, 'mean_ms', mean)
  end
  redis.call('ZREM', places, id)
  redis.call('HDEL', since, id)
end

local function leave_line(id)
  for _, key in ipairs({line, line_leases, barred}) do redis.call('ZREM', key, id) end
end
