// Example: Multi-server chat application

// WebSocket: Real-time message delivery
const ws = jPulse.ws.connect('/api/1/ws/chat');
ws.send({ type: 'message', text: 'Hello!' });
ws.onMessage((data) => displayMessage(data));

// App Cluster: User status across servers
// (Status changes via REST API, not WebSocket)
jPulse.appCluster.broadcast.subscribe('view:chat:user:status',
    (data) => {
        updateUserStatus(data.userId, data.status);
    },
    { omitSelf: true }
);

// Update status via REST API
await jPulse.appCluster.fetch('/api/1/user/status', {
    method: 'PUT',
    body: { status: 'away' }
});
// ^ This automatically broadcasts to all servers
