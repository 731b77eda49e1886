// ✅ Good: Use appCluster.fetch
const response = await jPulse.appCluster.fetch('/api/1/myController', {
    method: 'POST',
    body: { data }  // UUID automatically added
});
