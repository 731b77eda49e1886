// For administrators; others get a 401 or a 403 with a code.
const response = await jPulse.api.get('/api/1/config/site:title');
if (response.success) {
    console.log(response.data.value, 'in version', response.data.version);
} else {
    console.log('not read:', response.code);
}

// Everybody hears when title or banner change.
jPulse.appCluster.broadcast.subscribe('view:system:site:changed', ({ title }) => {
    document.title = title;
});
