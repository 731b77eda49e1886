/// <reference path="../../public/jpulse.d.ts" />

/** The names in a thing, to its functions. */
type Shape<T> = { [Name in keyof T]: T[Name] extends (...values: never[]) => unknown ? 'function' : Shape<T[Name]> };

/** What the declarations promise: the compiler sees that nothing is missing and nothing too much. */
export const SHAPE: Shape<JPulse> = {
    appCluster: {
        broadcast: { subscribe: 'function', publish: 'function' },
        fetch: 'function',
        cache: { set: 'function', get: 'function', del: 'function' },
        isClusterMode: 'function',
        getUuid: 'function',
        onClusterChange: 'function',
        onGap: 'function',
    },
    ws: { connect: 'function' },
    api: { get: 'function', post: 'function', put: 'function', delete: 'function' },
    UI: { toast: { show: 'function' }, modal: { show: 'function' } },
    dom: { ready: 'function' },
};

/** The same for a connection. */
export const CONNECTION: Shape<JPulse.Connection> = {
    onMessage: 'function',
    onStatusChange: 'function',
    onRequest: 'function',
    send: 'function',
    request: 'function',
    getStatus: 'function',
    isConnected: 'function',
    disconnect: 'function',
};
