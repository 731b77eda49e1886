// Subscribe to updates
jPulse.appCluster.broadcast.subscribe(
    'view:myApp:list:changed',
    (data) => {
        // Update UI when data changes on any server
        updateUI(data);
    },
    { omitSelf: true }
);
