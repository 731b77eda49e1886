jPulse.appCluster.broadcast.subscribe(
    'view:system:notification:global',
    (data) => {
        // Show notification based on level
        jPulse.UI.toast.show(
            data.message,
            data.level  // 'info', 'warning', 'error'
        );

        // If critical, show modal
        if (data.critical) {
            jPulse.UI.modal.show({
                title: 'Important Notice',
                message: data.message,
                buttons: ['OK']
            });
        }
    }
);

// ============================================
// ADMIN PANEL (Admin Only)
// ============================================

async function sendGlobalNotification() {
    const message = document.getElementById('notificationMessage').value;
    const level = document.getElementById('notificationLevel').value;

    // Send via API (with validation & logging)
    await jPulse.appCluster.fetch('/api/1/admin/broadcast-notification', {
        method: 'POST',
        body: {
            message,
            level,
            critical: level === 'error'
        }
    });
}
