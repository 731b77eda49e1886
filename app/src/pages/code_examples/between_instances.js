// Instances talk on `controller:` and `model:`, which browsers cannot hear …
try {
    jPulse.appCluster.broadcast.subscribe('controller:myApp:cache:cleared', () => {});
} catch (error) {
    console.log(error.code); // FORBIDDEN_CHANNEL
}

// … so a server passes on what browsers may know.
jPulse.appCluster.broadcast.subscribe('view:myApp:cache:cleared', (data) => {
    console.log('prices are new since', data.at);
});
