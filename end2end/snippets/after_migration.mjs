// After (cluster-aware fetch)
const response = await jPulse.appCluster.fetch('/api/1/myController', {
    method: 'POST',
    body: { title: 'New item' }
});
