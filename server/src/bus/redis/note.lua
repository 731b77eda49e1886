-- Notes that a channel is used; forgets those that were not for long.
-- KEYS: index of its component (sorted set). ARGV: channel, seconds it is kept.
local now = tonumber(redis.call('TIME')[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
