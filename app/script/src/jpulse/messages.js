// Broadcasts: subscribing and publishing.

const BROADCAST_URL = '/api/1/app-cluster/broadcast/';

const check = (channel) => {
    const text = String(channel);
    if (typeof channel === 'string' && text.length <= 200) {
        if (/^view(:[\w.-]+){2,16}$/.test(text)) return 'channel';
        if (/^view(:[\w.-]+){0,15}:\*$/.test(text)) return 'pattern';
    }
    if (/^(model|controller):/.test(text)) {
        throw fail('FORBIDDEN_CHANNEL', `Channel "${text}" is not for browsers: use a view: channel.`);
    }
    throw fail('INVALID_CHANNEL_NAME', `Channel "${text}" is malformed: use view:component:domain, or view:component:domain:action.`);
};

const subscriptions = new Set();
const onGap = new Set();

// A message published with omitSelf is known by the id in its receipt. Until that has come,
// whatever arrives is held, so that the order stays.
let receiptsDue = 0;
let held = [];
const omittedIds = [];
const settle = (id) => {
    if (id && omittedIds.push(id) > 256) omittedIds.shift();
    receiptsDue -= 1;
    if (receiptsDue > 0) return;
    const arrivals = held;
    held = [];
    for (const [subscription, data, meta] of arrivals) hand(subscription, data, meta);
};
const hand = (subscription, data, meta) => {
    if (subscriptions.has(subscription) && !omittedIds.includes(meta.id)) call(subscription.callback, data, meta);
};

const begin = (subscription) => {
    const { channel, omitSelf } = subscription;
    subscription.id = link.subscribe(channel, omitSelf, (text) => {
        const { data, meta } = JSON.parse(text);
        if (receiptsDue > 0) held.push([subscription, data, meta]);
        else hand(subscription, data, meta);
    }, () => tellGap(channel));
};

// Several subscriptions of a channel lose the same messages: one call tells it.
const gaps = new Set();
const tellGap = (channel) => {
    if (gaps.size === 0) {
        queueMicrotask(() => {
            const channels = [...gaps];
            gaps.clear();
            for (const channel of channels) {
                for (const callback of [...onGap]) call(callback, { channel });
            }
        });
    }
    gaps.add(channel);
};

const subscribe = (channel, callback, options) => {
    check(channel);
    if (typeof callback !== 'function') throw fail('INVALID_CALLBACK', 'The callback is not a function.', TypeError);
    const subscription = { channel, callback, omitSelf: Boolean(options?.omitSelf), id: null };
    subscriptions.add(subscription);
    if (link) begin(subscription);
    return {
        channel,
        unsubscribe() {
            if (subscriptions.delete(subscription) && subscription.id !== null) link.unsubscribe(subscription.id);
        },
    };
};

const publishByRequest = async (channel, data) => {
    const response = await clusterFetch(BROADCAST_URL + encodeURIComponent(channel), { method: 'POST', body: { data } })
        .catch(() => { throw fail('UNREACHABLE', 'The server cannot be reached.'); });
    if (response.ok && response.success) return response.data;
    throw fail(response.code ?? 'UNKNOWN', response.error ?? `The server answered ${response.status}.`);
};

const publish = async (channel, data, options) => {
    if (check(channel) !== 'channel') throw fail('INVALID_CHANNEL_NAME', 'A message goes to one channel, not to a pattern.');
    const text = textOf(data, 'What is published must be an object.');
    const receive = link ? link.publish(channel, text).then(JSON.parse) : publishByRequest(channel, JSON.parse(text));
    if (!options?.omitSelf) return receive;
    receiptsDue += 1;
    const receipt = receive.catch((error) => {
        settle(null);
        throw error;
    });
    const value = await receipt;
    settle(value.id);
    return value;
};
