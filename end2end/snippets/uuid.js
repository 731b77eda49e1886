const myUuid = jPulse.appCluster.getUuid();
console.log('My client ID:', myUuid);
