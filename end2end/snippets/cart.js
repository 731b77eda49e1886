// Subscribe to cart updates
jPulse.appCluster.broadcast.subscribe(
    'view:shopping:cart:updated',
    (data) => {
        // Update cart UI
        updateCartBadge(data.cart.itemCount);
        updateCartItems(data.cart.items);

        // Show notification if cart changed on another device
        jPulse.UI.toast.show(
            `Cart updated: ${data.action} ${data.item.name}`,
            'info'
        );
    },
    { omitSelf: true }
);

// Add to cart
async function addToCart(productId, quantity) {
    const response = await jPulse.appCluster.fetch('/api/1/cart/add', {
        method: 'POST',
        body: {
            productId,
            quantity
        }
    });

    if (response.success) {
        // Optimistic update
        updateCartBadge(response.cart.itemCount);
    }
}
