-- Appends frames of any number of recordings, each where it continues what is held.
-- KEYS: for each frame, the prefix of its recording's keys.
-- ARGV: 1 size of a whole segment (bytes), 2 how much of a recording Redis holds at most (bytes),
--       3 longest life of the keys (seconds); then for each frame: the connection that writes,
--       where the frame begins (bytes), its PCM.
-- Answer: one line of text with three words a frame: the outcome (a name of `buffer.Outcome`), how much is
--         held without a gap (bytes), how much of that object storage holds (bytes). To read a list of lists
--         would cost Python several times as much.
local segment_bytes, hot_bytes, ttl_s = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function write(prefix, writer, from, pcm)
  local meta = prefix .. ':meta'
  local found = redis.call('HMGET', meta, 'writer', 'limit', 'stored', 'filling')
  if not found[2] then return 'UNOPENED', 0, 0 end
  local filling, stored = tonumber(found[4]), tonumber(found[3])
  local held = math.max(filling * segment_bytes, stored) + redis.call('STRLEN', prefix .. ':' .. filling)
  if found[1] ~= writer then return 'TAKEN_OVER', held, stored end
  local to = from + #pcm
  if from > held then return 'GAP', held, stored end
  if to <= held then return 'HELD', held, stored end
  if to > tonumber(found[2]) then return 'OVER_LIMIT', held, stored end
  if to - stored > hot_bytes then return 'FULL', held, stored end
  while held < to do
    local full_at = (filling + 1) * segment_bytes
    local key, piece = prefix .. ':' .. filling, string.sub(pcm, held - from + 1, full_at - from)
    if redis.call('APPEND', key, piece) == #piece then
      redis.call('EXPIRE', key, ttl_s)
      redis.call('EXPIRE', meta, ttl_s)
    end
    held = held + #piece
    if held == full_at then
      filling = filling + 1
      redis.call('HSET', meta, 'filling', filling)
    end
  end
  return 'HELD', held, stored
end

local answers = {}
for i, prefix in ipairs(KEYS) do
  local outcome, held, stored = write(prefix, ARGV[3 * i + 1], tonumber(ARGV[3 * i + 2]), ARGV[3 * i + 3])
  answers[i] = outcome .. ' ' .. held .. ' ' .. stored
end
return table.concat(answers, ' ')
