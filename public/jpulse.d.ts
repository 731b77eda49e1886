/**
 * `window.jPulse`, for scripts checked by TypeScript:
 *
 *     /// <reference path="./jpulse.d.ts" />
 *
 * Served beside the script, at `/jpulse.d.ts`.
 */

/**
 * What is published where. Add your own channels, and callbacks and payloads on them are checked:
 *
 *     interface JPulseChannels {
 *         'view:myApp:list:changed': { action: 'created' | 'deleted'; item: Item };
 *     }
 */
interface JPulseChannels {}

interface JPulse {
    appCluster: JPulse.AppCluster;
    ws: {
        /** Connects to a WebSocket endpoint, `/api/1/ws/name`, and stays so until `disconnect`. */
        connect(path: string): JPulse.Connection;
    };
    /** Requests that name the tab, as `appCluster.fetch` does. */
    api: {
        get<T = any>(url: string, options?: JPulse.RequestOptions): Promise<JPulse.ApiResponse<T>>;
        post<T = any>(url: string, body?: JPulse.Body, options?: JPulse.RequestOptions): Promise<JPulse.ApiResponse<T>>;
        put<T = any>(url: string, body?: JPulse.Body, options?: JPulse.RequestOptions): Promise<JPulse.ApiResponse<T>>;
        delete<T = any>(url: string, body?: JPulse.Body, options?: JPulse.RequestOptions): Promise<JPulse.ApiResponse<T>>;
    };
    UI: {
        toast: {
            /** Shows a short message for some seconds. A text, never markup. */
            show(message: string, level?: JPulse.Level): void;
        };
        modal: {
            /**
             * Asks, and resolves to the button that was pressed, counted from 0, or to `null` when the dialogue
             * was left otherwise. One at a time: the next waits.
             */
            show(options?: JPulse.ModalOptions): Promise<number | null>;
        };
    };
    dom: {
        /** Calls back when the document has been read. */
        ready(callback: () => void): void;
    };
}

declare namespace JPulse {
    interface AppCluster {
        broadcast: {
            /**
             * Hears a channel, `view:component:domain:action` or `view:component:domain`, or all below a pattern,
             * `view:component:*`.
             * What was missed while the connection was away comes after it, in order and once.
             *
             * Throws `JPulse.Failure` when the channel is malformed, or not for browsers.
             */
            subscribe<C extends string>(channel: C, callback: Callback<C>, options?: BroadcastOptions): Subscription;
            /**
             * Tells every subscriber, in every browser on every instance. Rejects with a `JPulse.Failure`.
             */
            publish<C extends string>(channel: C, data: Payload<C>, options?: BroadcastOptions): Promise<Receipt>;
        };
        /**
         * `fetch` that names the tab, so that `omitSelf` holds for what the request announces: as header
         * `X-JPulse-Uuid`, and as `uuid` in bodies that are objects, which are sent as JSON. To other sites it
         * is `fetch` and no more.
         */
        fetch<T = any>(url: RequestInfo | URL, options?: FetchOptions): Promise<ApiResponse<T>>;
        /**
         * Small values of who is signed in, on every instance: 64 KiB each as JSON, 1 MiB together, for 30 days at
         * most. A guest gets `null`, and `false` for what was not done.
         */
        cache: {
            set(category: string, key: string, value: unknown, options?: { ttl?: number }): Promise<boolean>;
            get<T = any>(category: string, key: string): Promise<T | null>;
            del(category: string, key: string): Promise<boolean>;
        };
        /** Whether a broadcast made now reaches other instances. */
        isClusterMode(): boolean;
        /** Names this tab: stable across reloads, another one for a duplicated tab. */
        getUuid(): string;
        /** Calls back when instances begin or cease to hear each other; what it returns ends that. */
        onClusterChange(callback: (isClusterMode: boolean) => void): () => boolean;
        /** Calls back when messages of a channel were lost for good: load anew what they were about. */
        onGap(callback: (gap: { channel: string }) => void): () => boolean;
    }

    /** What is published on a channel: an object; on known channels, theirs. */
    type Payload<C extends string> = C extends keyof JPulseChannels ? JPulseChannels[C] : object;

    /** The payload as published, with the `uuid` of the tab that did, when known. */
    type Delivered<C extends string> = C extends keyof JPulseChannels ? JPulseChannels[C] & { uuid?: string } : any;

    type Callback<C extends string> = (data: Delivered<C>, meta: Meta) => void;

    interface BroadcastOptions {
        /** Not what this tab publishes; for `publish`: not to this tab. */
        omitSelf?: boolean;
    }

    interface Subscription {
        readonly channel: string;
        unsubscribe(): void;
    }

    /** What is known of a message besides its payload. */
    interface Meta {
        channel: string;
        /** Names the message once and for all. */
        id: string;
        /** Its place in the channel's log; `null` when it is in none. */
        offset: number | null;
        /** RFC 3339. */
        timestamp: string;
        /** Whether it was missed first and fetched from the log. */
        recovered: boolean;
        /**
         * Whether it came without a place in the log, during an outage: older messages of other instances may
         * follow. Where the last state counts, compare a version in the payload, or load again when
         * `onClusterChange` says `true`.
         */
        unordered: boolean;
    }

    /** What became of a message. */
    interface Receipt {
        channel: string;
        instanceId: string;
        /** RFC 3339. */
        timestamp: string;
        id: string;
        epoch?: string;
        offset?: number;
        /** Delivered on this instance only; the others get it when the link is back. */
        fallback?: true;
    }

    /** What is thrown and what promises are rejected with. */
    interface Failure extends Error {
        /** For programs: `INVALID_CHANNEL_NAME`, `FORBIDDEN_CHANNEL`, `INVALID_DATA`, `CONNECTION_LOST`, … */
        code: string;
    }

    type Body = object | BodyInit | null;
    type FetchOptions = Omit<RequestInit, 'body'> & { body?: Body };
    type RequestOptions = Omit<FetchOptions, 'method' | 'body'>;

    /** A `Response` that also carries the fields of the JSON object it answers with, but for those it has itself. */
    type ApiResponse<T = any> = Response & Envelope<T>;

    interface Envelope<T> {
        success?: boolean;
        data?: T;
        message?: string;
        /** Milliseconds. */
        elapsed?: number;
        /** Why not, for people and for programs. */
        error?: string;
        code?: string;
        path?: string;
        details?: any;
        /** Whatever else a route answers. */
        [field: string]: any;
    }

    type Status = 'connecting' | 'connected' | 'reconnecting' | 'disconnected' | 'auth-required';

    /** `data` of a frame: its `type`, and what belongs to it. */
    interface Message {
        type: string;
        data?: any;
        [field: string]: any;
    }

    interface Connection {
        /** Calls back with each message that answers no request. */
        onMessage(callback: (message: Message) => void): Connection;
        /** Calls back when the connection comes or goes. */
        onStatusChange(callback: (now: Status, before: Status) => void): Connection;
        /** Answers requests of the server; one callback, the last. */
        onRequest(callback: (data: any) => unknown): Connection;
        /** Sends an object; while the connection is away it waits, within bounds. Whether it will be sent at all. */
        send(message: object): boolean;
        /** Asks, and resolves to the answer. Rejects with a `JPulse.Failure`. */
        request(message: object, options?: { timeout?: number }): Promise<Message>;
        getStatus(): Status;
        isConnected(): boolean;
        /** Ends it for good. */
        disconnect(): void;
    }

    type Level = 'info' | 'success' | 'warning' | 'error';

    interface ModalOptions {
        title?: string;
        message?: string;
        /** Default: `['OK']`. */
        buttons?: Array<string | { label: string }>;
    }
}

declare const jPulse: JPulse;

interface Window {
    jPulse: JPulse;
}
