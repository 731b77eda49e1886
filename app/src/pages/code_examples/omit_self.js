// Not what this tab published, on whichever way, even across a reconnect.
jPulse.appCluster.broadcast.subscribe(
    'view:myApp:pointer:moved',
    (data) => console.log('somebody else is at', data.x, data.y),
    { omitSelf: true }
);

// Or for one message: to everybody but this tab.
await jPulse.appCluster.broadcast.publish('view:myApp:pointer:moved', { x: 3, y: 4 }, { omitSelf: true });
