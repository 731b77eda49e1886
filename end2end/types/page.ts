/// <reference path="../../public/jpulse.d.ts" />

// A page's script as a site owner writes it, checked against the declarations and never run.

interface Item {
    _id: string;
    title: string;
}

interface JPulseChannels {
    'view:myApp:list:changed': { action: 'created' | 'deleted'; item: Item };
}

const { broadcast } = jPulse.appCluster;

// A known channel: its payload is checked, in both directions.
const subscription = broadcast.subscribe(
    'view:myApp:list:changed',
    (data, meta) => {
        const title: string = data.item.title;
        const offset: number | null = meta.offset;
        const isOutOfOrder: boolean = meta.unordered;
        // @ts-expect-error -- there is no such action
        if (data.action === 'renamed') jPulse.UI.toast.show(`${title} at ${offset}, ${isOutOfOrder}`, 'info');
    },
    { omitSelf: true },
);
subscription.unsubscribe();
void broadcast.publish('view:myApp:list:changed', { action: 'created', item: { _id: '1', title: 'One' } });
// @ts-expect-error -- an item has a title
void broadcast.publish('view:myApp:list:changed', { action: 'created', item: { _id: '1' } });

// Any other channel, and patterns, carry any object.
broadcast.subscribe('view:myApp:*', (data) => console.log(data.whatever, data.uuid));
broadcast.subscribe('view:shop:cart:updated', (data: { cart: { itemCount: number } }) => console.log(data.cart.itemCount));
// @ts-expect-error -- what is published is an object
void broadcast.publish('view:shop:cart:updated', 'text');

async function calls(): Promise<void> {
    const receipt = await broadcast.publish('view:shop:cart:updated', { n: 1 }, { omitSelf: true });
    const place: number | undefined = receipt.offset;
    const response = await jPulse.appCluster.fetch<Item[]>('/api/1/items', { method: 'POST', body: { title: 'Two' } });
    const first: Item | undefined = response.success && response.ok ? response.data?.[0] : undefined;
    const { todo } = await response.json();
    const status = await jPulse.api.get<{ activeUsers: number }>('/api/1/dashboard/stats');
    const users: number | undefined = status.data?.activeUsers;
    await jPulse.api.put('/api/1/items/1', { title: 'Three' });
    await jPulse.api.delete('/api/1/items/1');
    const pressed: number | null = await jPulse.UI.modal.show({ title: 'Sure?', buttons: ['Yes', { label: 'No' }] });
    const stop = jPulse.appCluster.onClusterChange((isClusterMode) => console.log(isClusterMode));
    stop();
    jPulse.appCluster.onGap(({ channel }) => console.log(channel, place, first, todo, users, pressed));
    // @ts-expect-error -- there is no such level
    jPulse.UI.toast.show('Hm', 'fatal');

    const chat = jPulse.ws
        .connect('/api/1/ws/chat')
        .onMessage((message) => console.log(message.type, message.data))
        .onStatusChange((now, before) => console.log(now === 'connected', before))
        .onRequest((question) => ({ answer: question }));
    if (chat.isConnected() && chat.send({ type: 'message', text: 'hi' })) {
        console.log(await chat.request({ type: 'ask' }, { timeout: 1_000 }), chat.getStatus());
    }
    chat.disconnect();
}

jPulse.dom.ready(() => void calls());
window.jPulse.UI.toast.show(jPulse.appCluster.getUuid() + String(jPulse.appCluster.isClusterMode()), 'success');
