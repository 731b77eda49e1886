if (jPulse.appCluster.isClusterMode()) {
    console.log('Running in cluster mode - broadcasts will reach all servers');
} else {
    console.warn('Redis not available - local-only mode');
    jPulse.UI.toast.show(
        'Running in local mode - updates visible only in this tab',
        'warning'
    );
}
