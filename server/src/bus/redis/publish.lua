-- Appends messages to their channel's log and publishes them, one directly behind the other.
-- KEYS: log (stream), position (hash). ARGV: pub/sub channel, epoch for a new log, messages kept, milliseconds kept,
-- seconds a position lives, 1 to look for each id in the log first, then for each message its id and its text
-- without the closing brace. Answers the epoch and an offset for each message.
local log = open(KEYS[2], ARGV[2])
local known = {}
if ARGV[6] == '1' and log.offset > 0 then
  for back, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-')) do
    known[entry[2][4]] = log.offset - back + 1
  end
end
local answer = { log.epoch }
local newest
for index = 7, #ARGV, 2 do
  local offset = known[ARGV[index]]
  if not offset then
    offset = redis.call('HINCRBY', KEYS[2], 'offset', 1)
    local message = ARGV[index + 1] .. ',"epoch":"' .. log.epoch .. '","offset":' .. string.format('%.0f', offset) .. '}'
    newest = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'm', message, 'i', ARGV[index])
    redis.call('PUBLISH', ARGV[1], message)
  end
  answer[#answer + 1] = offset
end
if newest then
  local now = tonumber(string.match(newest, '^%d+'))
  redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now - ARGV[4]))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return answer
