// window.jPulse for plain scripts: there before any of them runs, whether WebAssembly is there, on
// its way or blocked. The application attaches its link to the relay when it comes to life; until
// then subscriptions wait, and everything that needs no socket works.
//
// Served without comments and indentation: a comment stands on its own line.
(() => {
    'use strict';

    const BROADCAST_URL = '/api/1/app-cluster/broadcast/';
    const UUID_HEADER = 'X-JPulse-Uuid';
    // Shared with the original client, so that a tab keeps its name while a site migrates.
    const UUID_KEY = 'jPulse.ws.clientUUID';
    const IN_USE_KEY = 'jPulse.ws.clientUUID.inUse';
    const TOAST_EVENT = 'jpulse:toast';
    const TOAST_MS = 6000;
    const HYDRATION_MS = 4000;

    const fail = (code, message, ErrorType = Error) => Object.assign(new ErrorType(message), { code });

    // ---- The tab's name ----

    const newUuid = () => {
        if (crypto.randomUUID) return crypto.randomUUID();
        // Pages without HTTPS have no randomUUID.
        const bytes = crypto.getRandomValues(new Uint8Array(16));
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
        return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    };

    // A duplicated tab begins with a copy of the storage. The page in view holds a mark there and
    // takes it away when it is left: whoever finds the mark is a copy of a tab that still runs.
    const uuid = (() => {
        // A frame shares its tab's storage, but is a page and a socket of its own.
        if (window.top !== window) return newUuid();
        try {
            const known = sessionStorage.getItem(UUID_KEY);
            const isCopy = sessionStorage.getItem(IN_USE_KEY) !== null;
            const uuid = known && known.length <= 64 && !isCopy ? known : newUuid();
            const hold = () => {
                sessionStorage.setItem(UUID_KEY, uuid);
                sessionStorage.setItem(IN_USE_KEY, '1');
            };
            hold();
            addEventListener('pagehide', () => sessionStorage.removeItem(IN_USE_KEY));
            addEventListener('pageshow', hold);
            return uuid;
        } catch {
            // Storage is blocked: a name for this page must do.
            return newUuid();
        }
    })();

    // ---- Messages ----

    const check = (channel) => {
        const text = String(channel);
        if (typeof channel === 'string' && text.length <= 200) {
            if (/^view(:[\w.-]+){3,16}$/.test(text)) return 'channel';
            if (/^view(:[\w.-]+){0,15}:\*$/.test(text)) return 'pattern';
        }
        if (/^(model|controller):/.test(text)) {
            throw fail('FORBIDDEN_CHANNEL', `Channel "${text}" is not for browsers: use a view: channel.`);
        }
        throw fail('INVALID_CHANNEL_NAME', `Channel "${text}" is malformed: use view:component:domain:action.`);
    };

    const call = (callback, ...values) => {
        try {
            callback(...values);
        } catch (error) {
            console.error(error);
        }
    };

    let link = null;
    const subscriptions = new Set();
    const onClusterChange = new Set();
    const onGap = new Set();
    let isClusterMode = document.querySelector('meta[name="jpulse-cluster-mode"]')?.content === 'true';

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
        const text = JSON.stringify(data);
        if (text?.[0] !== '{') throw fail('INVALID_DATA', 'What is published must be an object.');
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

    // ---- WebSocket endpoints ----

    const beginnings = new Set();
    const connect = (path) => {
        if (typeof path !== 'string' || !/^\/[^/\\]/.test(path)) {
            throw fail('INVALID_PATH', `Path "${path}" is malformed: use /api/1/ws/name.`, TypeError);
        }
        const onMessage = new Set();
        const onStatusChange = new Set();
        let answer = null;
        let status = 'connecting';
        let connection = null;
        // What is said before the application is there; the oldest falls out.
        let waiting = [];
        const deliver = (text) => {
            const data = JSON.parse(text);
            for (const callback of [...onMessage]) call(callback, data);
        };
        const setStatus = (now) => {
            const before = status;
            if (now === before) return;
            status = now;
            for (const callback of [...onStatusChange]) call(callback, now, before);
        };
        const respond = async (text) => {
            if (!answer) throw fail('NO_REPLY', 'This page answers no requests.');
            return JSON.stringify((await answer(JSON.parse(text))) ?? null);
        };
        const begin = () => {
            beginnings.delete(begin);
            connection = link.connect(path, deliver, setStatus, respond);
            const said = waiting;
            waiting = [];
            for (const say of said) say();
        };
        const say = (deed) => {
            if (connection) return deed();
            if (waiting.push(deed) > 100) waiting.shift();
        };
        const textOf = (message) => {
            const text = JSON.stringify(message);
            if (text?.[0] !== '{') throw fail('INVALID_DATA', 'A message must be an object.', TypeError);
            return text;
        };
        const hear = (callbacks) => (callback) => {
            listen(callbacks)(callback);
            return handle;
        };
        const handle = {
            onMessage: hear(onMessage),
            onStatusChange: hear(onStatusChange),
            onRequest(callback) {
                answer = callback;
                return handle;
            },
            send(message) {
                const text = textOf(message);
                if (status === 'disconnected' || status === 'auth-required') return false;
                say(() => connection.send(text));
                return true;
            },
            async request(message, options) {
                const text = textOf(message);
                if (status === 'disconnected' || status === 'auth-required') {
                    throw fail('CONNECTION_LOST', 'The connection has ended.');
                }
                return new Promise((resolve, reject) => {
                    say(() => connection.request(text, options?.timeout ?? 0).then((answer) => resolve(JSON.parse(answer)), reject));
                });
            },
            getStatus: () => status,
            isConnected: () => status === 'connected',
            disconnect() {
                if (connection) connection.disconnect();
                else {
                    beginnings.delete(begin);
                    setStatus('disconnected');
                }
            },
        };
        if (link) begin();
        else beginnings.add(begin);
        return handle;
    };

    // ---- Requests ----

    // Not what fetch takes as it is: forms, blobs, streams.
    const isPlain = (value) => ['[object Object]', '[object Array]'].includes(Object.prototype.toString.call(value));

    const clusterFetch = async (url, options = {}) => {
        const { body, ...rest } = options;
        const isOurs = new URL(url instanceof Request ? url.url : url, document.baseURI).origin === location.origin;
        const headers = new Headers(options.headers ?? (url instanceof Request ? url.headers : undefined));
        const init = { ...rest, headers };
        if (isOurs) headers.set(UUID_HEADER, uuid);
        if (body !== undefined && body !== null) {
            const isJson = isPlain(body);
            init.body = isJson ? JSON.stringify(isOurs && !Array.isArray(body) ? { uuid, ...body } : body) : body;
            if (isJson && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
        }
        const response = await fetch(url, init);
        if (/[/+]json\b/i.test(response.headers.get('Content-Type') ?? '')) {
            const envelope = await response.clone().json().catch(() => null);
            if (envelope && !Array.isArray(envelope)) {
                for (const [name, value] of Object.entries(envelope)) {
                    // What a Response has of its own stays: ok, status, body, …
                    if (!(name in response)) {
                        Object.defineProperty(response, name, { value, enumerable: true, configurable: true, writable: true });
                    }
                }
            }
        }
        return response;
    };

    // ---- Toasts ----

    const html = document.documentElement;
    const isHydrated = () => html.hasAttribute('data-hydrated');
    let earlyToasts = [];

    // On a page without the application's own region: beside the body, where hydration does not look.
    const showPlainly = ({ message, level }) => {
        let region = html.querySelector(':scope > .toasts');
        if (!region) {
            region = document.createElement('div');
            region.className = 'toasts';
            region.setAttribute('role', 'status');
            region.setAttribute('aria-live', 'polite');
            html.append(region);
        }
        const toast = document.createElement('div');
        toast.className = `toast toast-${level}`;
        toast.textContent = message;
        region.append(toast);
        setTimeout(() => toast.remove(), TOAST_MS);
    };
    const raise = (detail) => {
        if (isHydrated() && document.querySelector('body .toasts')) {
            dispatchEvent(new CustomEvent(TOAST_EVENT, { detail }));
        } else {
            showPlainly(detail);
        }
    };
    const raiseEarly = () => {
        const toasts = earlyToasts;
        earlyToasts = [];
        toasts.forEach(raise);
    };
    let patience = null;
    const show = (message, level) => {
        const known = ['info', 'success', 'warning', 'error'];
        const detail = { message: String(message), level: known.includes(level) ? level : 'info' };
        if (isHydrated()) {
            raise(detail);
        } else {
            earlyToasts.push(detail);
            patience ??= setTimeout(raiseEarly, HYDRATION_MS);
            if (earlyToasts.length > 20) earlyToasts.shift();
        }
    };

    // ---- Dialogues ----

    // Resolves to the button that was pressed, counted from 0, or to null when the dialogue was left
    // otherwise. One at a time: the next waits.
    let modalsBefore = Promise.resolve();
    const showModal = (options) => {
        const { title = '', message = '', buttons = ['OK'] } = options ?? {};
        const labels = Array.isArray(buttons) && buttons.length > 0 ? buttons : ['OK'];
        const shown = modalsBefore.then(() => new Promise((resolve) => {
            const dialog = document.createElement('dialog');
            const heading = document.createElement('h2');
            const text = document.createElement('p');
            const row = document.createElement('p');
            const id = `jpulse-modal-${newUuid()}`;
            heading.id = id;
            heading.textContent = String(title);
            text.textContent = String(message);
            row.className = 'modal-buttons';
            dialog.setAttribute('aria-labelledby', id);
            labels.forEach((label, index) => {
                const button = document.createElement('button');
                button.type = 'button';
                button.className = index === 0 ? 'button' : 'button-quiet';
                button.textContent = String(label?.label ?? label);
                button.addEventListener('click', () => dialog.close(String(index)));
                row.append(button);
            });
            dialog.append(heading, text, row);
            dialog.addEventListener('close', () => {
                dialog.remove();
                resolve(dialog.returnValue === '' ? null : Number(dialog.returnValue));
            });
            // Beside the body, where hydration does not look.
            html.append(dialog);
            dialog.showModal();
        }));
        modalsBefore = shown.catch(() => {});
        return shown;
    };

    // ---- What scripts see ----

    const listen = (callbacks) => (callback) => {
        if (typeof callback !== 'function') throw fail('INVALID_CALLBACK', 'The callback is not a function.', TypeError);
        callbacks.add(callback);
        return () => callbacks.delete(callback);
    };
    const request = (method) => (url, body, options) => clusterFetch(url, { ...options, method, body });

    const jPulse = window.jPulse ??= {};
    jPulse.appCluster = {
        broadcast: { subscribe, publish },
        fetch: clusterFetch,
        isClusterMode: () => isClusterMode,
        getUuid: () => uuid,
        onClusterChange: listen(onClusterChange),
        onGap: listen(onGap),
    };
    jPulse.api = {
        get: (url, options) => clusterFetch(url, { ...options, method: 'GET' }),
        post: request('POST'),
        put: request('PUT'),
        delete: request('DELETE'),
    };
    jPulse.ws = { ...jPulse.ws, connect };
    jPulse.UI = { ...jPulse.UI, toast: { show }, modal: { show: showModal } };
    jPulse.dom = {
        ready(callback) {
            if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', () => callback(), { once: true });
            else queueMicrotask(() => callback());
        },
    };

    // ---- What the application sees ----

    Object.defineProperty(jPulse, '_application', {
        value: {
            attach(applicationsLink) {
                link = applicationsLink;
                subscriptions.forEach(begin);
                [...beginnings].forEach((begin) => begin());
            },
            setClusterMode(mode) {
                if (mode === isClusterMode) return;
                isClusterMode = mode;
                for (const callback of [...onClusterChange]) call(callback, mode);
            },
            hydrated() {
                html.setAttribute('data-hydrated', '');
                clearTimeout(patience);
                raiseEarly();
            },
            fail,
        },
    });
})();
