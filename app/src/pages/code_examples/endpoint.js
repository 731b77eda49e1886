const socket = jPulse.ws.connect('/api/1/ws/hello-request')
    .onStatusChange((status) => console.log('the connection is', status))
    .onMessage((frame) => console.log('the server said', frame.type));

// Exactly one answer, or an error.
const { data } = await socket.request({ type: 'echo', text: 'Hello' });
console.log('the server echoed', data.text);
socket.disconnect();
