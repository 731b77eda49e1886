// ============================================
// CHAT MESSAGES: Use WebSocket
// ============================================
// Why? High-frequency bi-directional communication

const chatWs = jPulse.ws.connect('/api/1/ws/chat')
    .onMessage((data) => {
        if (data.type === 'message') {
            displayChatMessage(data);
        }
    });

function sendMessage(text) {
    chatWs.send({
        type: 'message',
        text: text,
        roomId: currentRoomId
    });
}

// ============================================
// USER STATUS: Use App Cluster
// ============================================
// Why? Less frequent, needs to persist across servers

jPulse.appCluster.broadcast.subscribe(
    'view:chat:user:status',
    (data) => {
        updateUserStatus(data.userId, data.status);
    },
    { omitSelf: true }
);

async function setStatus(status) {
    // Update via REST API
    await jPulse.appCluster.fetch('/api/1/user/status', {
        method: 'PUT',
        body: { status }
    });
    // Server broadcasts status change to all instances
}

// ============================================
// ROOM UPDATES: Use App Cluster
// ============================================
// Why? Less frequent, needs database persistence

jPulse.appCluster.broadcast.subscribe(
    'view:chat:room:updated',
    (data) => {
        if (data.action === 'user_joined') {
            addUserToRoomList(data.user);
        } else if (data.action === 'user_left') {
            removeUserFromRoomList(data.userId);
        }
    }
);
