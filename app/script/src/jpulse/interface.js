// What scripts see, and what the application or the client does with it.

const request = (method) => (url, body, options) => clusterFetch(url, { ...options, method, body });

const jPulse = window.jPulse ??= {};
jPulse.appCluster = {
    broadcast: { subscribe, publish },
    fetch: clusterFetch,
    cache,
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
