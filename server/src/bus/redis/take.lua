-- Takes tokens from a bucket: all that are wanted, or as many as it holds.
-- KEYS: bucket (string: the microsecond at which it is full again). ARGV: microseconds a token takes to grow, tokens a
-- full bucket holds, tokens wanted (negative to give back). Answers 0, or the microseconds until it holds a token.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local held = math.max(math.floor((now + most * each - full_at) / each), 0)
local taken = math.min(wanted, held)
full_at = full_at + taken * each
if full_at > now then
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
else
  redis.call('DEL', KEYS[1])
end
if taken == wanted then
  return 0
end
return math.max(math.ceil(full_at - now - (most - 1) * each), 1)
