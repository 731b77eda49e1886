const handle = jPulse.appCluster.broadcast.subscribe(
    'view:myApp:note:sent',
    (data, meta) => {
        jPulse.UI.toast.show(`${data.sender}: ${data.text}`, 'info');
        console.log('message', meta.id, 'of', meta.channel);
    },
    { omitSelf: true } // not my own
);

// Later, when it is no longer needed:
handle.unsubscribe();
