-- Keeps a value: name, value, its life in milliseconds, the bytes and the values a user may have.
-- What has ended goes; so does, beyond the bounds, what ends first. The key ends with its last value.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local name, value, ends = ARGV[1], ARGV[2], now + ARGV[3]
local bytes, others = #name + #value, {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    local other = field:sub(3)
    if field:sub(1, 2) == 'e:' and other ~= name then
        local size = #other + redis.call('HSTRLEN', KEYS[1], 'v:' .. other)
        table.insert(others, { name = other, ends = tonumber(redis.call('HGET', KEYS[1], field)), size = size })
        bytes = bytes + size
    end
end
table.sort(others, function(one, two) return one.ends < two.ends end)
local kept = #others + 1
local last = ends
for _, other in ipairs(others) do
    if other.ends <= now or bytes > tonumber(ARGV[4]) or kept > tonumber(ARGV[5]) then
        redis.call('HDEL', KEYS[1], 'e:' .. other.name, 'v:' .. other.name)
        bytes, kept = bytes - other.size, kept - 1
    else
        last = math.max(last, other.ends)
    end
end
redis.call('HSET', KEYS[1], 'e:' .. name, string.format('%d', ends), 'v:' .. name, value)
redis.call('PEXPIREAT', KEYS[1], string.format('%d', last))
return kept
