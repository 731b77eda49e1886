// Connections to WebSocket endpoints.

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
    const written = (message) => textOf(message, 'A message must be an object.', TypeError);
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
            const text = written(message);
            if (status === 'disconnected' || status === 'auth-required') return false;
            say(() => connection.send(text));
            return true;
        },
        async request(message, options) {
            const text = written(message);
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
