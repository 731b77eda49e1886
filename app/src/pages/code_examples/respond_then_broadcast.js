// The server checks, saves, answers, and then tells everybody. The call says which tab asks, so that
// `omitSelf` works for what the server tells.
const response = await jPulse.appCluster.fetch('/api/1/helloClusterTodo', {
    method: 'POST',
    body: { text: 'Water the plants' },
});
if (response.success) {
    console.log('saved', response.todo._id);
} else {
    jPulse.UI.toast.show(response.error, 'error');
}
