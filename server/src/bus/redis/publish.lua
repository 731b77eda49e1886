-- Appends messages to their channel's log and publishes them, one directly behind the other.
-- KEYS: log (stream), position (hash), ids (sorted set: the offset of each message the log keeps). ARGV: pub/sub
-- channel, epoch for a new log, messages kept, milliseconds kept, seconds a position lives, 1 to look for each id first,
-- then for each message its id and its text without the closing brace. Answers the epoch and an offset for each message.
--
-- A message that Redis refuses leaves no trace: no offset is given, nothing is published, those before it stay.
local log = open(KEYS[2], KEYS[1], ARGV[2])
local is_retry = ARGV[6] == '1' and log.offset > 0
-- Offsets by id, read from the log itself where the ids were evicted.
local scanned
local function known(id)
  local offset = redis.call('ZSCORE', KEYS[3], id)
  if offset then
    return tonumber(offset)
  end
  if not scanned then
    scanned = {}
    if redis.call('EXISTS', KEYS[3]) == 0 then
      for back, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-')) do
        scanned[entry[2][4]] = log.offset - back + 1
      end
    end
  end
  return scanned[id]
end
-- Appends one message; the entry's id in the log, or else why not.
local function append(id, text, offset)
  local number = string.format('%.0f', offset)
  local message = text .. ',"epoch":"' .. log.epoch .. '","offset":' .. number .. '}'
  local entry = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'm', message, 'i', id)
  local done = redis.pcall('ZADD', KEYS[3], number, id)
  if type(done) == 'number' then
    done = redis.pcall('HSET', KEYS[2], 'offset', number)
  end
  if type(done) == 'number' then
    done = redis.pcall('PUBLISH', ARGV[1], message)
  end
  if type(done) == 'number' then
    return entry
  end
  redis.pcall('XDEL', KEYS[1], entry)
  redis.pcall('ZREM', KEYS[3], id)
  redis.pcall('HSET', KEYS[2], 'offset', string.format('%.0f', offset - 1))
  return nil, done
end
local answer = { log.epoch }
local newest
for index = 7, #ARGV, 2 do
  local offset = is_retry and known(ARGV[index])
  if not offset then
    offset = log.offset + 1
    local entry, refusal = append(ARGV[index], ARGV[index + 1], offset)
    if not entry then
      return refusal
    end
    log.offset = offset
    newest = entry
  end
  answer[#answer + 1] = offset
end
if newest then
  local now = tonumber(string.match(newest, '^%d+'))
  redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now - ARGV[4]))
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', log.offset - ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[5])
end
return answer
