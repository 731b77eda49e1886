// Says which tab asks, so that `omitSelf` works for what the server announces.
const response = await jPulse.appCluster.fetch('/api/1/helloClusterTodo', {
    method: 'POST',
    body: { text: 'Water the plants' },
});
if (response.success) {
    console.log('saved', response.todo._id);
} else {
    jPulse.UI.toast.show(response.error, 'error');
}
