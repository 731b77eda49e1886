-- Begins a channel's log anew: every position of the old one is void.
-- KEYS: log (stream), position (hash). ARGV: epoch of the new log, seconds a position lives, pub/sub channel for the
-- news, name of the channel.
redis.call('DEL', KEYS[1])
redis.call('DEL', KEYS[2])
open(KEYS[2], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
