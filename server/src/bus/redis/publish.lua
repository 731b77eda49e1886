-- Appends a message to its channel's log and publishes it.
-- KEYS: log (stream), position (hash). ARGV: pub/sub channel, message without its closing brace,
-- epoch for a new log, messages kept, milliseconds kept, seconds a position lives, id to look for or ''.
local epoch = redis.call('HGET', KEYS[2], 'epoch')
if not epoch then
  epoch = ARGV[3]
  redis.call('HSET', KEYS[2], 'epoch', epoch)
elseif ARGV[7] ~= '' then
  local last = tonumber(redis.call('HGET', KEYS[2], 'offset') or '0')
  for back, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-')) do
    if string.find(entry[2][2], '"id":"' .. ARGV[7] .. '"', 1, true) then
      return { epoch, last - back + 1 }
    end
  end
end
local offset = redis.call('HINCRBY', KEYS[2], 'offset', 1)
local message = ARGV[2] .. ',"epoch":"' .. epoch .. '","offset":' .. string.format('%.0f', offset) .. '}'
local entry = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[4], '*', 'm', message)
local now = tonumber(string.match(entry, '^%d+'))
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now - ARGV[5]))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('PUBLISH', ARGV[1], message)
return { epoch, offset }
