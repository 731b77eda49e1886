const receipt = await jPulse.appCluster.broadcast.publish('view:myApp:note:sent', {
    sender: 'Ada',
    text: 'Hello, everybody',
});
console.log('taken by', receipt.instanceId, 'at', receipt.timestamp);
