import { BINARY, SITE } from './built';
import { newFolder, removeFolder } from './folder';
import { type Environment, Program } from './program';
import { KIND, Proxy, TRUST } from './proxy';

/** A todo, as the server answers it. */
export interface Todo {
    _id: string;
    title: string;
    completed: boolean;
}

interface Place {
    binary: string;
    /** Where it runs and keeps its data. */
    folder: string;
}

/** A running server. */
export class Instance {
    private constructor(
        /** Where it is, without a slash at the end. */
        readonly url: string,
        readonly program: Program,
        readonly folder: string | null,
        readonly proxy: Proxy | null,
    ) {}

    /** Starts the built server in an empty folder, behind the proxy of this run, and waits until it is ready. */
    static async start(environment: Environment = {}): Promise<Instance> {
        const direct = await Instance.startDirect({ ...(KIND ? TRUST : {}), ...environment });
        if (!KIND) return direct;
        const proxy = await Proxy.start(KIND, [direct.port]);
        return new Instance(proxy.at(''), direct.program, direct.folder, proxy);
    }

    /** The same with nothing before it, whatever the run. */
    static startDirect(environment: Environment = {}): Promise<Instance> {
        const folder = newFolder();
        const place = { binary: BINARY, folder };
        return Instance.#start(place, { PORT: '0', LEPTOS_SITE_ROOT: SITE, ...environment }, folder);
    }

    /** Starts a server that knows nothing but its port: everything else is beside it, or not there. */
    static startBare(place: Place, port = 0): Promise<Instance> {
        return Instance.#start(place, { PORT: String(port) }, null);
    }

    static async #start(place: Place, environment: Environment, ownFolder: string | null): Promise<Instance> {
        const program = new Program(place.binary, [], place.folder, environment);
        const [, url] = await program.says(/listening on (http:\/\/[\d.:]+)/);
        const instance = new Instance(url, program, ownFolder, null);
        const answer = await fetch(instance.at('/api/1/health/status'));
        if (!answer.ok) throw new Error(`not ready: ${answer.status}\n${program.output}`);
        return instance;
    }

    /** The address of a page or a route on it. */
    at(path: string): string {
        return this.url + path;
    }

    get port(): number {
        return Number(new URL(this.url).port);
    }

    /** Calls a route as another program would; fails unless it succeeds. */
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
        const response = await fetch(this.at(path), {
            method,
            headers: { 'Content-Type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
        return (await response.json()) as T;
    }

    /** Publishes from outside of any browser. */
    async publish(channel: string, data: object): Promise<void> {
        await this.call('POST', `/api/1/app-cluster/broadcast/${channel}`, { data });
    }

    /** Adds a todo from outside of any browser. */
    async addTodo(text: string): Promise<Todo> {
        const { todo } = await this.call<{ todo: Todo }>('POST', '/api/1/helloClusterTodo', { text });
        return todo;
    }

    /** Ends it as a crash would. */
    async kill(): Promise<void> {
        await this.program.end('SIGKILL');
    }

    /** Asks it to end and waits; its exit code. */
    async stop(): Promise<number | null> {
        const code = await this.program.end('SIGTERM');
        await this.proxy?.end();
        if (this.folder) removeFolder(this.folder);
        return code;
    }
}
