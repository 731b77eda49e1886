-- Begins a channel's log again: every position of the old one is void.
-- KEYS: log (stream), position (hash), ids (sorted set). ARGV: epoch of the new log, seconds a position lives, pub/sub
-- channel that announces it, name of the channel.
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
open(KEYS[2], KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
