-- Numbers a new connection to an interview, if its tab has the interview or claims it.
-- KEYS: 1 the tab that has the interview, 2 number of the newest connection.
-- ARGV: 1 random id of the tab, 2 whether it claims the interview (1 or 0), 3 life of the keys (seconds).
-- Answer: number of the connection, 1 for the first; 0 where another tab has the interview.
local tab, is_claim, held_s = ARGV[1], ARGV[2] == '1', ARGV[3]
local holder = redis.call('GET', KEYS[1])
if is_claim or not holder then
  redis.call('SET', KEYS[1], tab, 'EX', held_s)
elseif holder ~= tab then
  return 0
end
local number = redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], held_s)
return number
