// In browser console
console.log('Cluster mode:', jPulse.appCluster.isClusterMode());
// Should be: true
