jPulse.appCluster.broadcast.publish(
    'view:notifications:alert',
    {
        message: 'Server maintenance in 10 minutes',
        level: 'warning',
        timestamp: Date.now()
    }
);
