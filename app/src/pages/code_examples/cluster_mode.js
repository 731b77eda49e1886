if (!jPulse.appCluster.isClusterMode()) {
    jPulse.UI.toast.show('Local mode: changes stay on this instance', 'warning');
}
jPulse.appCluster.onClusterChange((isCluster) => {
    console.log(isCluster ? 'all instances hear us' : 'on our own for now');
});
