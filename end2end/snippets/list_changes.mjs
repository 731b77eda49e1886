// Subscribe to list changes
jPulse.appCluster.broadcast.subscribe(
    'view:myApp:list:changed',
    (data) => {
        if (data.action === 'created') {
            addItemToUI(data.item);
        } else if (data.action === 'deleted') {
            removeItemFromUI(data.item._id);
        }
    },
    { omitSelf: true }
);

// Create item via API (automatic UUID injection)
const response = await jPulse.appCluster.fetch('/api/1/myController', {
    method: 'POST',
    body: { title: 'New task', description: 'Details here' }
});

if (response.success) {
    // Optimistic UI update (for sender only)
    addItemToUI(response.item);
}
