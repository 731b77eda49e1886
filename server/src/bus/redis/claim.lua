-- Holds an instance id for one process. KEYS: the claim. ARGV: the process, seconds the claim lives, a process that is
-- known to have ended or an empty text. Answers who holds it now.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] and holder ~= ARGV[3] then
  return holder
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
