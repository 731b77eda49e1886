jPulse.appCluster.broadcast.subscribe(
    'view:myApp:task:updated',
    (data) => {
        console.log('Task updated:', data.task);
        updateTaskInUI(data.task);
    },
    { omitSelf: true }
);
