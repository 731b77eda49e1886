import { join } from 'node:path';

import { newFolder, removeFolder } from '../kit/folder';
import { Front } from '../kit/front';
import { Instance } from '../kit/instance';
import { TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { Redis } from '../kit/redis';
import { expectHeard, heard, subscribeSurely } from '../kit/script';
import { signIn } from '../kit/sign_in';
import { ADMIN_PASSWORD, expect, test } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** What Chromium itself says of servers that refuse or are not there. */
const REFUSED = /WebSocket connection to .* failed|net::ERR_|status of (401|503)/;

/** Ends every session of the user `admin`, as somebody with another browser does. */
async function signOutEverywhere(at: (path: string) => string): Promise<void> {
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify({ username: 'admin', password: ADMIN_PASSWORD });
    const signedIn = await fetch(at('/api/1/auth/login'), { method: 'POST', headers, body });
    const cookie = signedIn.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
    const ended = await fetch(at('/api/1/auth/logout-all'), { method: 'POST', headers: { ...headers, cookie } });
    expect(ended.ok).toBe(true);
}

test('a page whose session ended while its connection was cut says so, on its endpoint and in its head', async ({ pair, page, complaints }) => {
    complaints.allow(REFUSED);
    const front = await Front.start(pair.left.port);
    await signIn(page, front, '/hello-app-cluster/');
    const signedIn = page.getByRole('link', { name: 'Signed in as admin' });
    await expect(signedIn).toBeVisible();
    const status = () => page.evaluate(() => (window as unknown as { echo: { getStatus(): string } }).echo.getStatus());
    await page.evaluate(() => Object.assign(window, { echo: window.jPulse.ws.connect('/api/1/ws/jpulse-ws-test') }));
    await expect.poll(status).toBe('connected');
    front.leadTo(null);
    await expect.poll(status).toBe('reconnecting');
    await signOutEverywhere((path) => pair.right.at(path));
    front.leadTo(pair.right.port);
    await expect.poll(status, { timeout: 45_000 }).toBe('auth-required');
    await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
    await expect(signedIn).toHaveCount(0);
    front.end();
});

test('a page that comes back from the cache asks who is signed in', async ({ pair, page, complaints }) => {
    complaints.allow(REFUSED);
    await signIn(page, pair.left, '/hello-app-cluster/');
    await expect(page.getByRole('link', { name: 'Signed in as admin' })).toBeVisible();
    // The socket is not what tells: it is silent in a page that was put aside.
    await page.route('**/api/1/auth/status', (route) =>
        route.fulfill({ json: { success: true, authenticated: false, user: null } }),
    );
    await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
    await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
});

test('a list that lost messages is loaded until that succeeds', async ({ page, complaints }) => {
    complaints.allow(REFUSED);
    const folder = newFolder();
    const environment = { JPULSE_DATA_DIR: join(folder, 'data') };
    const first = await Instance.start(environment);
    const front = await Front.start(first.port);
    const board = new TodoBoard(page);
    await visit(page, front.at(TODO_PAGE));
    await expectBadge(page, 'Live, local');
    let [loads, isFailing] = [0, true];
    await page.route('**/fn/todo-list*', (route) => {
        loads += 1;
        return isFailing ? route.fulfill({ status: 503, body: '"offline"' }) : route.continue();
    });
    front.leadTo(null);
    expect(await first.stop()).toBe(0);
    // Its log is another one: what the page has missed cannot be had from it.
    const second = await Instance.start(environment);
    await second.addTodo('Missed');
    front.leadTo(second.port);
    await expect.poll(() => loads, { timeout: 45_000 }).toBeGreaterThan(1);
    await expect(board.row('Missed')).toHaveCount(0);
    isFailing = false;
    await expect(board.row('Missed')).toHaveCount(1, { timeout: 45_000 });
    const loaded = loads;
    await second.addTodo('Heard');
    await expect(board.row('Heard')).toHaveCount(1);
    expect(loads, 'nothing is loaded any more').toBe(loaded);
    await page.close();
    front.end();
    expect(await second.stop()).toBe(0);
    removeFolder(folder);
});

test('what comes without an order during an outage is marked, and lists are loaded when the link is back', async ({ page, complaints }) => {
    complaints.allow(REFUSED);
    const redis = await Redis.start();
    const instance = await Instance.start({ REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) });
    await expect.poll(async () => (await fetch(instance.at('/health'))).status).toBe(200);
    const channel = 'view:end2end:state:changed';
    const board = new TodoBoard(page);
    await visit(page, instance.at(TODO_PAGE));
    await expectBadge(page, 'Live');
    await subscribeSurely(page, 'states', channel);
    await instance.publish(channel, { state: 'before' });
    await expectHeard(page, 'states', 'state', ['before']);
    let loads = 0;
    page.on('request', (request) => {
        if (request.url().includes('/fn/todo-list')) loads += 1;
    });
    await redis.end();
    await expectBadge(page, 'Live, local');
    await instance.publish(channel, { state: 'during' });
    await instance.addTodo('Out of order');
    await expect(board.row('Out of order')).toHaveCount(1);
    expect(loads).toBe(0);
    const again = await Redis.start(redis.port);
    await expectBadge(page, 'Live');
    await expect.poll(() => loads).toBeGreaterThan(0);
    await instance.publish(channel, { state: 'after' });
    await expectHeard(page, 'states', 'state', ['before', 'during', 'after']);
    const metas = (await heard(page, 'states')).map(({ meta }) => meta);
    expect(metas.map(({ unordered }) => unordered)).toEqual([false, true, false]);
    expect(metas.map(({ offset }) => offset === null)).toEqual([false, true, false]);
    await page.close();
    await instance.stop();
    await again.end();
});
