// Collect changes for 500ms, then broadcast once
let pendingChanges = [];
let broadcastTimer = null;

function scheduleChange(change) {
    pendingChanges.push(change);

    if (!broadcastTimer) {
        broadcastTimer = setTimeout(async () => {
            await RedisManager.publishBroadcast('view:myApp:changes', {
                changes: pendingChanges
            });
            pendingChanges = [];
            broadcastTimer = null;
        }, 500);
    }
}
