import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';

const running = new Set<ChildProcess>();
// A worker that ends in the middle of a test leaves nothing behind.
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export type Environment = Record<string, string>;

/** A process of the tests' own, ended by its id. */
export class Program {
    readonly #child: ChildProcess;
    readonly #ended: Promise<number | null>;
    readonly #listeners = new Set<() => void>();
    #output = '';

    /** Starts a program that sees nothing of our environment but what is named here. */
    constructor(path: string, args: string[], folder: string, environment: Environment) {
        this.#child = spawn(path, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
        running.add(this.#child);
        const listen = (chunk: Buffer) => {
            this.#output += chunk.toString();
            this.#tell();
        };
        this.#child.stdout?.on('data', listen);
        this.#child.stderr?.on('data', listen);
        this.#ended = new Promise((resolve) => {
            this.#child.once('error', (error) => {
                this.#output += `${path}: ${error.message}\n`;
                resolve(null);
            });
            // Once all it said has been read.
            this.#child.once('close', resolve);
        });
        void this.#ended.then(() => {
            running.delete(this.#child);
            this.#tell();
        });
    }

    /** All it has said so far. */
    get output(): string {
        return this.#output;
    }

    /** Whether it is over, by itself or not. */
    get hasEnded(): boolean {
        return !running.has(this.#child);
    }

    /** Resolves once it says this; fails when it ends before. */
    says(pattern: RegExp): Promise<RegExpMatchArray> {
        return new Promise((resolve, reject) => {
            const look = () => {
                const match = this.#output.match(pattern);
                if (!match && running.has(this.#child)) return;
                this.#listeners.delete(look);
                if (match) resolve(match);
                else reject(new Error(`a program ended before it said ${pattern}:\n${this.#output.slice(-2000)}`));
            };
            this.#listeners.add(look);
            look();
        });
    }

    signal(signal: NodeJS.Signals): void {
        this.#child.kill(signal);
    }

    /** Sends a signal and waits for the end; the exit code, `null` when a signal was the end. */
    end(signal: NodeJS.Signals): Promise<number | null> {
        this.#child.kill(signal);
        return this.#ended;
    }

    #tell(): void {
        for (const listener of [...this.#listeners]) listener();
    }
}

/** Below the ports that connections are given by themselves: nobody takes one between the asking and the listening. */
const FIRST_PORT = 10_000;
/** Of each worker: two would share a port in silence where their programs listen with SO_REUSEPORT, as HAProxy does. */
const PORTS = 2_500;
let asked = process.pid;

/** A port nobody listens on now; another one each time. */
export async function freePort(): Promise<number> {
    const first = FIRST_PORT + (Number(process.env.TEST_PARALLEL_INDEX ?? 7) % 8) * PORTS;
    for (;;) {
        asked += 1;
        const port = first + (asked % PORTS);
        if (await isFree(port)) return port;
    }
}

function isFree(port: number): Promise<boolean> {
    return new Promise((resolve) => {
        const server = createServer().once('error', () => resolve(false));
        server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
}
