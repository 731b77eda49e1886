-- Takes tokens from a bucket: all that are wanted, or as many as it holds.
-- KEYS: bucket (string: the microsecond at which it is full again, a dot, the microsecond it was written at). ARGV:
-- microseconds a token takes to grow, tokens a full bucket holds, tokens wanted (negative to give back). Answers 0, or
-- the microseconds until it holds a token.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, most, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = now
local stored, written_at = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+)%.?(%d*)$')
if stored then
  full_at, written_at = tonumber(stored), tonumber(written_at)
  if written_at and written_at > now then
    -- The clock was stepped back since: the bucket lacks what it lacked then.
    full_at = now + full_at - written_at
  elseif not written_at and full_at > now + most * each then
    -- The same, written by a version that did not note when: nobody knows what it lacked.
    full_at = now
  end
  full_at = math.min(math.max(full_at, now), now + most * each)
end
local held = math.max(math.floor((now + most * each - full_at) / each), 0)
local taken = math.min(wanted, held)
full_at = full_at + taken * each
if full_at > now then
  redis.call('SET', KEYS[1], string.format('%.0f.%.0f', full_at, now), 'PX', math.ceil((full_at - now) / 1000))
else
  redis.call('DEL', KEYS[1])
end
if taken == wanted then
  return 0
end
return math.max(math.ceil(full_at - now - (most - 1) * each), 1)
