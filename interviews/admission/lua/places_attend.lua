-- Renews places and positions in the line, and lets in those whose turn it is.
-- Uses: places_leave.lua.
-- KEYS: 1 places, 2 since when each is held, 3 the line, 4 leases of the positions in the line,
--       5 those in the line who cannot enter now, 6 mean of the stays, 7 next turn, 8 epoch.
-- ARGV: 1 how many stays the mean follows, 2 lease of a place (milliseconds),
--       3 lease of a position in the line (milliseconds), 4 lease of the epoch (milliseconds),
--       5 how long the line stands still when an epoch begins (milliseconds),
--       6 how many are let in per second, 7 how many are let in at one moment,
--       8 how many places there are (0: no limit), 9 how many are inside; then the id of each who is inside;
--       then for each in the line: id, time of arrival (milliseconds, 0 of a newcomer),
--       whether it can enter (1 or 0).
-- Answer: {epoch, places that are held, stays that were measured, their mean (milliseconds), a flat list with
--         two numbers for each in the line: position (0: has a place now), time of arrival (milliseconds)}.
local place_ms, line_ms = tonumber(ARGV[2]), tonumber(ARGV[3])
local epoch_ms, stands_still_ms = ARGV[4], tonumber(ARGV[5])
local step_ms, let_in_at_once = 1000 / ARGV[6], tonumber(ARGV[7])
local limit, inside = tonumber(ARGV[8]), tonumber(ARGV[9])

local function lapse(key, lease_ms, lapsed)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now)) do
    lapsed(id, redis.call('ZSCORE', key, id) - lease_ms)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. now + lease_ms, '+inf')) do
    redis.call('ZADD', key, now + lease_ms, id)  -- the clock was put back
  end
end

local function take_places(ids)
  local leases = {}
  for i, id in ipairs(ids) do leases[2 * i - 1], leases[2 * i] = now + place_ms, id end
  if #ids == 0 or redis.call('ZADD', places, unpack(leases)) == 0 then return end
  for _, id in ipairs(ids) do
    redis.call('HSETNX', since, id, now)
    leave_line(id)
  end
end

local function stand_in_line(id, arrived)
  local at = redis.call('ZSCORE', line, id)
  if not at then
    local last = redis.call('ZREVRANGE', line, 0, 0, 'WITHSCORES')[2]
    at = arrived > 0 and arrived or math.max(now, (last or 0) + 1)
    redis.call('ZADD', line, at, id)
  end
  return tonumber(at)
end

take_places({unpack(ARGV, 10, 9 + inside)})
lapse(places, place_ms, give_back)
lapse(line_leases, line_ms, leave_line)

redis.call('SET', epoch_key, now, 'NX')
redis.call('PEXPIRE', epoch_key, epoch_ms)
local epoch = tonumber(redis.call('GET', epoch_key))
local free = limit > 0 and limit - redis.call('ZCARD', places) or math.huge
local burst_ms = step_ms * let_in_at_once
local next_turn = tonumber(redis.call('GET', next_turn_key))
if not next_turn or math.abs(now - next_turn) > burst_ms then next_turn = now - burst_ms end
local turns = math.floor((now - next_turn) / step_ms)
if math.abs(now - epoch) < stands_still_ms then turns = 0 end

local function is_let_in(id, arrived, at)
  if free <= 0 or (turns <= 0 and arrived > 0) then return false end
  local ahead = redis.call('ZRANK', line, id) - redis.call('ZCOUNT', barred, '-inf', at)
  if ahead >= free then return false end
  if ahead == 0 and arrived == 0 then return true end
  if ahead >= turns then return false end
  turns, next_turn = turns - 1, next_turn + step_ms
  return true
end

local positions, leases = {}, {}
for i = 10 + inside, #ARGV, 3 do
  local id, arrived, can_enter = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2] == '1'
  local position, at = 0, 0
  if redis.call('ZSCORE', places, id) then
    take_places({id})
  else
    at = stand_in_line(id, arrived)
    if can_enter then redis.call('ZREM', barred, id) else redis.call('ZADD', barred, at, id) end
    if can_enter and is_let_in(id, arrived, at) then
      take_places({id})
      free = free - 1
    else
      position = redis.call('ZRANK', line, id) + 1
      table.insert(leases, now + line_ms)
      table.insert(leases, id)
    end
  end
  table.insert(positions, position)
  table.insert(positions, at)
end
if #leases > 0 then redis.call('ZADD', line_leases, unpack(leases)) end
redis.call('SET', next_turn_key, next_turn)
local count, mean = unpack(redis.call('HMGET', stays, 'count', 'mean_ms'))
return {epoch, redis.call('ZCARD', places), tonumber(count or 0), math.floor(mean or 0), positions}
