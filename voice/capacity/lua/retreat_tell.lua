-- Notes how far a process has retreated, with the second by the clock of Redis.
-- KEYS: 1 a hash with a field for each process.
-- ARGV: 1 name of the process, 2 for how long each step has been off (JSON list of seconds),
--       3 life of the hash (seconds).
-- Answer: none.
redis.call('HSET', KEYS[1], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
