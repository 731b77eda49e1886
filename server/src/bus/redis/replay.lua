-- What a log holds after a position: epoch, last offset, whether all of it, then the messages, oldest first.
-- Begins a log where there is none.
-- KEYS: log (stream), position (hash). ARGV: epoch, offset, messages a log keeps, epoch for a new log,
-- seconds an unused position lives.
local position = redis.call('HMGET', KEYS[2], 'epoch', 'offset')
if not position[1] then
  redis.call('HSET', KEYS[2], 'epoch', ARGV[4], 'offset', 0)
  redis.call('EXPIRE', KEYS[2], ARGV[5])
  return { ARGV[4], 0, 0 }
end
local last = tonumber(position[2] or '0')
local missed = last - tonumber(ARGV[2])
if position[1] ~= ARGV[1] or missed < 0 or missed > tonumber(ARGV[3]) then
  return { position[1], last, 0 }
end
local answer = { position[1], last, 1 }
if missed > 0 then
  local entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', missed)
  if #entries < missed then
    return { position[1], last, 0 }
  end
  for index = missed, 1, -1 do
    answer[#answer + 1] = entries[index][2][2]
  end
end
return answer
