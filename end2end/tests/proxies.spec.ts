import { request as http } from 'node:https';

import { Instance } from '../kit/instance';
import { TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { Proxy, TRUST } from '../kit/proxy';
import { expectHeard, subscribeSurely } from '../kit/script';
import { signIn } from '../kit/sign_in';
import { ADMIN_PASSWORD, test as base, expect, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

interface Behind {
    instances: Instance[];
    proxy: Proxy;
}

for (const kind of ['nginx', 'haproxy'] as const) {
    /** Two instances of one production site, with the sample of this proxy before them. */
    const test = base.extend<{ behind: Behind }>({
        behind: async ({ redis, mongod }, use) => {
            const name = uniqueName('proxy');
            const environment = {
                ...TRUST,
                JPULSE_SITE_ID: name,
                JPULSE_MODE: 'prod',
                REDIS_HOST: '127.0.0.1',
                REDIS_PORT: String(redis.port),
                MONGODB_URI: mongod.uri(name),
                SESSION_SECRET: 'the same for both, and long enough',
                JPULSE_ADMIN_PASSWORD: ADMIN_PASSWORD,
            };
            const start = (number: string) => Instance.startDirect({ ...environment, JPULSE_INSTANCE: number });
            const instances = await Promise.all([start('0'), start('1')]);
            const proxy = await Proxy.start(kind, instances.map((instance) => instance.port));
            await expect.poll(() => status(proxy)).toBe(200);
            await use({ instances, proxy });
            await Promise.all(instances.map((instance) => instance.stop()));
            await proxy.end();
        },
    });

    test.describe(kind, () => {
        test('two browsers stay in sync through it, over encrypted sockets', async ({ behind, openWindow }) => {
            const [left, right] = [new TodoBoard(await openWindow()), new TodoBoard(await openWindow())];
            const sockets: string[] = [];
            left.page.on('websocket', (socket) => sockets.push(socket.url()));
            for (const board of [left, right]) await visit(board.page, behind.proxy.at(TODO_PAGE));
            await Promise.all([expectBadge(left.page, 'Live'), expectBadge(right.page, 'Live')]);
            await left.add('Water the plants');
            await expect(right.row('Water the plants')).toHaveCount(1);
            expect(sockets.length).toBeGreaterThan(0);
            expect(sockets.every((url) => url.startsWith(`wss://127.0.0.1:${behind.proxy.port}/`))).toBe(true);
        });

        test('where an instance is gone, the other one serves, and nobody misses anything', async ({ behind, page, complaints }) => {
            complaints.allow(/WebSocket connection to .* failed|net::ERR_|50[234]/);
            const channel = 'view:end2end:number:said';
            await visit(page, behind.proxy.at('/'));
            await subscribeSurely(page, 'numbers', channel);
            const publish = async (number: number) => {
                const url = behind.proxy.at(`/api/1/app-cluster/broadcast/${channel}`);
                const answer = await fetch(url, {
                    method: 'POST',
                    headers: { 'Content-Type': 'application/json' },
                    body: JSON.stringify({ data: { number } }),
                });
                expect(answer.status).toBe(200);
            };
            const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
            for (const number of numbers) {
                if (number === 20) await (await socketsOwner(behind)).stop();
                await publish(number);
            }
            await expectHeard(page, 'numbers', 'number', numbers);
        });

        test('a visitor signs in, over an encrypted connection and from an address of its own', async ({ behind, page }) => {
            await signIn(page, behind.proxy, '/account');
            const cookies = await page.context().cookies();
            expect(cookies.map(({ name, secure }) => ({ name, secure }))).toEqual([{ name: '__Host-session', secure: true }]);
            const answer = await page.goto(behind.proxy.at('/'));
            expect(await answer?.headerValue('strict-transport-security')).toContain('max-age=');
        });

        test('what a visitor claims of its address and scheme is not believed', async ({ behind }) => {
            // As many wrong passwords as one address may try, each time from another one by its own word.
            const codes: number[] = [];
            for (let tried = 0; tried < 25; tried += 1) {
                const answer = await fetch(behind.proxy.at('/api/1/auth/login'), {
                    method: 'POST',
                    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': `198.51.100.${tried}` },
                    body: JSON.stringify({ username: 'nobody', password: 'wrong, said the test' }),
                });
                codes.push(answer.status);
            }
            expect(codes).toContain(429);
        });

        test('a page of another site opens no socket and changes nothing', async ({ behind }) => {
            const foreign = { Origin: 'https://other.example', 'Content-Type': 'application/json' };
            const body = JSON.stringify({ text: 'Not mine' });
            const answer = await fetch(behind.proxy.at('/api/1/helloClusterTodo'), { method: 'POST', headers: foreign, body });
            expect(answer.status).toBe(403);
            expect(await upgrade(behind.proxy, 'https://other.example')).toBe(403);
            expect(await upgrade(behind.proxy, behind.proxy.at(''))).toBe(101);
        });

        test('an event stream arrives piece by piece', async ({ behind }) => {
            const channel = 'view:end2end:stream:said';
            const stop = new AbortController();
            const stream = await fetch(behind.proxy.at(`/api/1/app-cluster/events?channel=${channel}`), { signal: stop.signal });
            expect(stream.headers.get('content-type')).toContain('text/event-stream');
            const reader = (stream.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
            let heard = '';
            const hears = async (words: string) => {
                while (!heard.includes(words)) {
                    const { value, done } = await reader.read();
                    if (done) throw new Error(`the stream ended before ${words}: ${heard}`);
                    heard += value;
                }
            };
            await hears('subscribed');
            for (const word of ['first', 'second']) {
                await behind.instances[0].publish(channel, { word });
                await hears(word);
            }
            stop.abort();
        });

        test('plain HTTP leads to HTTPS', async ({ behind }) => {
            const answer = await fetch(`http://127.0.0.1:${behind.proxy.plainPort}/login`, { redirect: 'manual' });
            expect(answer.status).toBe(301);
            expect(answer.headers.get('location')).toMatch(/^https:\/\/127\.0\.0\.1.*\/login$/);
        });
    });
}

/** Whether the proxy reaches an instance. */
async function status(proxy: Proxy): Promise<number> {
    return (await fetch(proxy.at('/api/1/health/status'))).status;
}

/** The instance with the most sockets. */
async function socketsOwner({ instances }: Behind): Promise<Instance> {
    const counts = await Promise.all(
        instances.map(async (instance) => {
            const text = await (await fetch(instance.at('/metrics'))).text();
            return Number(text.match(/^jpulse_sockets\{endpoint="jp-broadcast"\} (\d+)/m)?.[1] ?? 0);
        }),
    );
    return instances[counts.indexOf(Math.max(...counts))];
}

/** Asks for a socket as a browser does on a page of this origin; the status of the answer. */
function upgrade(proxy: Proxy, origin: string): Promise<number> {
    const headers = {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        Origin: origin,
    };
    return new Promise((resolve, reject) => {
        const asked = http({ host: '127.0.0.1', port: proxy.port, path: '/api/1/ws/jp-broadcast', headers });
        asked.on('upgrade', (answer, socket) => {
            socket.destroy();
            resolve(answer.statusCode ?? 0);
        });
        asked.on('response', (answer) => {
            answer.resume();
            resolve(answer.statusCode ?? 0);
        });
        asked.on('error', reject);
        asked.end();
    });
}
