// Subscribe to document changes
jPulse.appCluster.broadcast.subscribe(
    'view:editor:document:changed',
    (data) => {
        if (data.action === 'textInserted') {
            insertTextAt(data.position, data.text);
        } else if (data.action === 'textDeleted') {
            deleteTextAt(data.position, data.length);
        }

        // Show who made the change
        showUserCursor(data.user.username, data.position);
    },
    { omitSelf: true }
);

// User types in editor
editor.on('change', async (change) => {
    // Save to server
    await jPulse.appCluster.fetch('/api/1/document/update', {
        method: 'POST',
        body: {
            documentId: currentDocId,
            change: change
        }
    });
});
