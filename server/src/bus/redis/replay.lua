-- What a log holds after a position: epoch, last offset, offset the epoch began behind, whether all of it, then the
-- messages, oldest first. Begins a log where there is none.
-- KEYS: log (stream), position (hash). ARGV: epoch, offset, messages a log keeps, epoch for a new log,
-- seconds an unused position lives.
local log = look(KEYS[2], KEYS[1], ARGV[4], ARGV[5])
-- How far positions of the asked epoch are positions of this log.
local last
if ARGV[1] == log.epoch then
  last = log.offset
else
  for _, one in ipairs(log.before) do
    if one[1] == ARGV[1] then
      last = last or one[2]
    end
  end
end
local since = tonumber(ARGV[2])
local missed = log.offset - since
local answer = { log.epoch, log.offset, log.begun, 0 }
if not last or since > last or missed > tonumber(ARGV[3]) then
  return answer
end
local entries = {}
if missed > 0 then
  entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', missed)
  if #entries < missed then
    return answer
  end
end
answer[4] = 1
for index = missed, 1, -1 do
  answer[#answer + 1] = entries[index][2][2]
end
return answer
