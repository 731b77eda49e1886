import { type Server, type Socket, connect, createServer } from 'node:net';

import { SCHEME } from './proxy';

/** What stands before the instances: hands connections to one of them, or refuses them. */
export class Front {
    readonly #server: Server;
    readonly #sockets = new Set<Socket>();
    #port: number | null;

    private constructor(port: number) {
        this.#port = port;
        this.#server = createServer((browser) => this.#carry(browser));
    }

    /** One that leads to this port. */
    static async start(port: number): Promise<Front> {
        const front = new Front(port);
        await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
        return front;
    }

    /** The address of a page behind it. */
    at(path: string): string {
        const address = this.#server.address();
        if (!address || typeof address !== 'object') throw new Error('the front is closed');
        return `${SCHEME}://127.0.0.1:${address.port}${path}`;
    }

    /** Leads new connections to this port; `null` refuses them. Those that stand are cut. */
    leadTo(port: number | null): void {
        this.#port = port;
        this.#sockets.forEach((socket) => socket.destroy());
    }

    end(): void {
        this.#sockets.forEach((socket) => socket.destroy());
        this.#server.close();
    }

    #carry(browser: Socket): void {
        if (this.#port === null) {
            browser.destroy();
            return;
        }
        const instance = connect(this.#port, '127.0.0.1');
        for (const [socket, other] of [
            [browser, instance],
            [instance, browser],
        ] as const) {
            this.#sockets.add(socket);
            socket.setNoDelay(true);
            // A cut connection is what this is for; the other side learns of it below.
            socket.on('error', () => undefined);
            socket.on('close', () => {
                this.#sockets.delete(socket);
                other.destroy();
            });
            socket.pipe(other);
        }
    }
}
