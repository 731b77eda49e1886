const apply = (enabled) => document.body.classList.toggle('new-search', enabled);

// First listen, then ask: nothing is missed in between.
jPulse.appCluster.broadcast.subscribe('view:system:feature:switched', ({ name, enabled }) => {
    if (name === 'new_search') apply(enabled);
});
const { enabled } = await jPulse.api.get('/api/1/features/new_search');
apply(enabled);
