-- Where a channel's log ends; begins one where there is none.
-- KEYS: log (stream), position (hash). ARGV: epoch for a new log, seconds an unused position lives.
local log = look(KEYS[2], KEYS[1], ARGV[1], ARGV[2])
return { log.epoch, log.offset }
