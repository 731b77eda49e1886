// Subscribe to notifications
jPulse.appCluster.broadcast.subscribe(
    'view:myApp:notification:sent',
    (data) => {
        // Show notification to user
        jPulse.UI.toast.show(
            `📡 ${data.senderName}: ${data.message}`,
            'info'
        );
    },
    { omitSelf: true }  // Don't receive your own messages
);

// Publish notification (goes to ALL servers)
jPulse.appCluster.broadcast.publish(
    'view:myApp:notification:sent',
    {
        message: 'Hello from another server!',
        senderName: 'John Doe',
        timestamp: Date.now()
    }
);
