let lastBroadcast = 0;
const MIN_INTERVAL = 1000; // 1 second

async function updateWithThrottle(data) {
    const now = Date.now();
    if (now - lastBroadcast < MIN_INTERVAL) {
        return; // Skip this update
    }

    lastBroadcast = now;
    await RedisManager.publishBroadcast('view:myApp:update', data);
}
