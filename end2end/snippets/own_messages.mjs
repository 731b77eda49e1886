// If using omitSelf, ensure UUID is being sent
const response = await jPulse.appCluster.fetch('/api/1/endpoint', {
    method: 'POST',
    body: { data }
});
// UUID automatically included
