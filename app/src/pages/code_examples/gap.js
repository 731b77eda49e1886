// What was missed during a short loss comes by itself. This is for what cannot be had any more:
// load what you show anew.
jPulse.appCluster.onGap(async ({ channel }) => {
    console.warn('messages were lost on', channel);
    const { stats } = await jPulse.api.get('/api/1/helloClusterTodo/stats');
    console.log('there are', stats.total, 'tasks');
});
