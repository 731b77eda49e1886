// Subscribe to broadcasts
jPulse.appCluster.broadcast.subscribe(channel, callback, options)

// Publish broadcasts
jPulse.appCluster.broadcast.publish(channel, data, options)

// API calls with automatic UUID
jPulse.appCluster.fetch(url, options)

// Check cluster mode
jPulse.appCluster.isClusterMode()

// Get client UUID
jPulse.appCluster.getUuid()
