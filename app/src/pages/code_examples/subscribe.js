const handle = jPulse.appCluster.broadcast.subscribe('view:myApp:note:sent', (data, meta) => {
    console.log('message', meta.id, 'of', meta.channel);
    jPulse.UI.toast.show(`${data.sender}: ${data.text}`, 'info');
});

// When it is no longer needed:
window.addEventListener('pagehide', () => handle.unsubscribe());
