// Subscribe
jPulse.appCluster.broadcast.subscribe(channel, callback, options);

// Publish
jPulse.appCluster.broadcast.publish(channel, data);

// API wrapper with auto-UUID
jPulse.appCluster.fetch(url, options);
