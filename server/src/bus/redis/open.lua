-- What every script on a channel's log begins with.
--
-- A position is a hash: `epoch`; `offset`, the last one given; `writer`, the replication id of the server that began
-- the epoch; `begun`, the offset the epoch began behind; `before`, where the epochs before it ended, the newest first,
-- as `epoch:offset epoch:offset …`.
--
-- A server that was promoted, or came back with what it had saved, may have forgotten the end of a log, and would give
-- its offsets a second time. Its replication id is new, so the log goes on in a new epoch: positions of earlier epochs
-- stay good as far as the log still holds them, and no further.

-- How many epochs are remembered.
local EPOCHS = 8

-- Where a log ends whose position was evicted: its last message says so. `nil` where the log is gone too.
local function recover(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if last then
    local epoch, offset = string.match(string.sub(last[2][2], -96), '"epoch":"(%w+)","offset":(%d+)}$')
    return epoch, tonumber(offset)
  end
end

-- The position in `key`; begins one, with the epoch `fresh`, where there is none. `log_key` is the log itself.
local function open(key, log_key, fresh)
  local writer = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''
  local found = redis.call('HMGET', key, 'epoch', 'offset', 'writer', 'begun', 'before')
  local log = { epoch = found[1], offset = tonumber(found[2] or '0'), begun = tonumber(found[4] or '0'), before = {} }
  for epoch, last in string.gmatch(found[5] or '', '(%w+):(%d+)') do
    log.before[#log.before + 1] = { epoch, tonumber(last) }
  end
  if log.epoch and found[3] == writer then
    return log
  end
  if not log.epoch then
    local epoch, offset = recover(log_key)
    if offset then
      log.epoch, log.offset = epoch, offset
    end
  end
  if log.epoch then
    table.insert(log.before, 1, { log.epoch, log.offset })
    log.before[EPOCHS + 1] = nil
    log.begun = log.offset
  end
  log.epoch = fresh
  local before = {}
  for index, one in ipairs(log.before) do
    before[index] = one[1] .. ':' .. string.format('%.0f', one[2])
  end
  redis.call('HSET', key, 'epoch', fresh, 'offset', string.format('%.0f', log.offset), 'writer', writer,
    'begun', string.format('%.0f', log.begun), 'before', table.concat(before, ' '))
  return log
end

-- The same for who only looks: a position lives at least `seconds` from now.
local function look(key, log_key, fresh, seconds)
  local log = open(key, log_key, fresh)
  if redis.call('TTL', key) < tonumber(seconds) then
    redis.call('EXPIRE', key, seconds)
  end
  return log
end

