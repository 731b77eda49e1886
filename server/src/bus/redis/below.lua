-- The lately used channels of a component, one more than asked for when there are more.
-- KEYS: index of the component (sorted set). ARGV: seconds a channel is kept, how many are wanted at most.
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZRANGEBYSCORE', KEYS[1], now - tonumber(ARGV[1]), '+inf', 'LIMIT', 0, tonumber(ARGV[2]) + 1)
