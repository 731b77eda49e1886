-- Where a channel's log ends; begins one where there is none.
-- KEYS: position (hash). ARGV: epoch for a new log, seconds an unused position lives.
local position = redis.call('HMGET', KEYS[1], 'epoch', 'offset')
if not position[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'offset', 0)
  position = { ARGV[1], '0' }
end
if redis.call('TTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return { position[1], tonumber(position[2] or '0') }
