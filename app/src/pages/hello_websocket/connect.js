const room = jPulse.ws.connect('/api/1/ws/hello-rooms')
    .onStatusChange((status) => console.log('the connection is', status))
    .onMessage((frame) => {
        if (frame.type === 'message') console.log(frame.data.from, frame.data.data);
    });

const { data } = await room.request({ type: 'join', roomId: 'kitchen' });
console.log(`${data.members} in the kitchen`);
room.send({ type: 'room', roomId: 'kitchen', data: { text: 'Tea, anybody?' } });
