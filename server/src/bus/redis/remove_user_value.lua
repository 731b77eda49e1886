-- Removes the value of this name; 1 when it had not ended.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = redis.call('HGET', KEYS[1], 'e:' .. ARGV[1])
redis.call('HDEL', KEYS[1], 'e:' .. ARGV[1], 'v:' .. ARGV[1])
return (ends and tonumber(ends) > now) and 1 or 0
