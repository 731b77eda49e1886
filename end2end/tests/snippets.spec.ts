import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { callsOf, expectCall, plainPage, script, spies, test } from '../kit/plain_page';
import { ADMIN_PASSWORD, expect } from '../kit/test';
import type { Instance } from '../kit/instance';
import type { Page } from '@playwright/test';

// The published examples for scripts, each a file of `snippets` to the letter. A page has the one tag, functions of
// its own that note how they are called, and the example, pasted. Routes of somebody's application are answered here.

const FOLDER = resolve(__dirname, '../snippets');
/** Where the examples come from, where that is there to be compared with. */
const SOURCES = resolve(__dirname, '../../../shared/seeds');

interface Pasted {
    /** The example's file. */
    file: string;
    /** Functions of the page. */
    functions?: string[];
    /** What else the page has defined before. */
    before?: string;
    /** What stands in its body. */
    body?: string;
    /** What routes of the application answer, by method and path. */
    routes?: Record<string, object>;
}

/** What was sent to routes of the application. */
type Sent = Array<{ route: string; body: unknown; uuid: string | undefined }>;

const pasted = test.extend<{ paste: (pasted: Pasted) => Promise<Sent> }>({
    paste: async ({ page, site, put }, use) => {
        await use(async ({ file, functions = [], before = '', body = '', routes = {} }) => {
            const sent: Sent = [];
            await page.route(/\/api\/1\//, async (route, request) => {
                const name = `${request.method()} ${new URL(request.url()).pathname}`;
                if (!(name in routes)) return route.continue();
                sent.push({ route: name, body: request.postDataJSON(), uuid: request.headers()['x-jpulse-uuid'] });
                await route.fulfill({ json: routes[name] });
            });
            const text = readFileSync(join(FOLDER, file), 'utf8');
            const element = script(text, file.endsWith('.mjs') ? 'module' : '');
            const html = plainPage(spies(...functions), script(before)).replace('</main>', `${body}</main>${element}`);
            await page.goto(site.at(put(html)));
            return sent;
        });
    },
});

/** Publishes until the page has called its function so. */
async function expectCalledFor(page: Page, site: Instance, channel: string, data: object, ...call: [string, ...unknown[]]): Promise<void> {
    await expect(async () => {
        await site.publish(channel, data);
        await expect.poll(() => page.evaluate(() => window.calls), { timeout: 500 }).toContainEqual(call);
    }).toPass();
}

const uuidOf = (page: Page) => page.evaluate(() => window.jPulse.appCluster.getUuid() as string);
const toast = (page: Page, text: string) => page.getByRole('status').getByText(text);

/** The endpoint of the examples' chat, for everybody. */
async function openChat(page: Page, site: Instance): Promise<void> {
    const signedIn = await page.request.post(site.at('/api/1/auth/login'), { data: { username: 'admin', password: ADMIN_PASSWORD } });
    expect(signedIn.ok()).toBe(true);
    const made = await page.request.post(site.at('/api/1/ws/endpoints'), { data: { name: 'chat', auth: 'public' } });
    expect(made.ok(), await made.text()).toBe(true);
}

test('every example is the published one to the letter', () => {
    test.skip(!existsSync(SOURCES), 'the publication is not here');
    const texts = readdirSync(SOURCES).map((name) => readFileSync(join(SOURCES, name), 'utf8'));
    for (const name of readdirSync(FOLDER)) {
        const snippet = readFileSync(join(FOLDER, name), 'utf8').trim();
        expect(texts.some((text) => text.includes(snippet)), name).toBe(true);
    }
});

pasted('a chat beside the status of its users', async ({ page, site, paste }) => {
    await openChat(page, site);
    const routes = { 'PUT /api/1/user/status': { success: true } };
    const sent = await paste({ file: 'chat_and_status.mjs', functions: ['displayMessage', 'updateUserStatus'], routes });
    const uuid = await uuidOf(page);
    await expect.poll(() => sent).toEqual([{ route: 'PUT /api/1/user/status', body: { uuid, status: 'away' }, uuid }]);
    await expect.poll(async () => JSON.stringify(await callsOf(page, 'displayMessage'))).toContain('{"text":"Hello!"}');
    await expectCalledFor(page, site, 'view:chat:user:status', { userId: 'u', status: 'away' }, 'updateUserStatus', 'u', 'away');
});

pasted('a notification for everybody else', async ({ page, site, paste }) => {
    await paste({ file: 'notification.js' });
    await expect(async () => {
        await site.publish('view:myApp:notification:sent', { senderName: 'Jane', message: 'hi' });
        await expect(toast(page, '📡 Jane: hi').first()).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(toast(page, 'Hello from another server!')).toHaveCount(0);
});

pasted('a list that others change', async ({ page, site, paste }) => {
    const channel = 'view:myApp:list:changed';
    const routes = { 'POST /api/1/myController': { success: true, item: { _id: '1' } } };
    const sent = await paste({ file: 'list_changes.mjs', functions: ['addItemToUI', 'removeItemFromUI'], routes });
    await expectCall(page, 'addItemToUI', { _id: '1' });
    const uuid = await uuidOf(page);
    expect(sent).toEqual([{ route: 'POST /api/1/myController', body: { uuid, title: 'New task', description: 'Details here' }, uuid }]);
    await expectCalledFor(page, site, channel, { action: 'created', item: { _id: '2' } }, 'addItemToUI', { _id: '2' });
    await expectCalledFor(page, site, channel, { action: 'deleted', item: { _id: '2' } }, 'removeItemFromUI', '2');
});

for (const file of ['three_calls.js', 'reference.js']) {
    pasted(`all calls of ${file}`, async ({ page, site, paste }) => {
        const channel = 'view:myApp:calls:made';
        const before = `
            const channel = '${channel}', data = { n: 1 }, url = '/api/1/app-cluster/broadcast/status', options = {};
            const callback = ({ n }) => heard(n);`;
        await paste({ file, functions: ['heard'], before });
        await expectCalledFor(page, site, channel, { n: 2 }, 'heard', 2);
    });
}

pasted('a task that was updated', async ({ page, site, paste }) => {
    await paste({ file: 'task_updated.js', functions: ['updateTaskInUI'] });
    await expectCalledFor(page, site, 'view:myApp:task:updated', { task: { id: 7 } }, 'updateTaskInUI', { id: 7 });
});

/** Hears a channel beside the example, in the same tab. */
const listener = (channel: string) =>
    `jPulse.appCluster.broadcast.subscribe('${channel}', (data) => heard(data));`;
/** What an example for controllers calls, as far as a page can do the same. */
const publisher = 'const RedisManager = { publishBroadcast: (...message) => jPulse.appCluster.broadcast.publish(...message) };';

/** Waits until what `listener` subscribes to arrives. */
const untilSubscribed = (page: Page, site: Instance, channel: string) =>
    expect(async () => {
        await site.publish(channel, { isProbe: true });
        expect(await callsOf(page, 'heard')).toContainEqual([expect.objectContaining({ isProbe: true })]);
    }).toPass();
/** What the page heard beside the probes. */
const heardByPage = async (page: Page) =>
    (await callsOf(page, 'heard')).filter((call) => !JSON.stringify(call).includes('isProbe'));

pasted('an alert on a channel of three parts', async ({ page, site, paste }) => {
    await paste({ file: 'alert.js', functions: ['heard'], before: listener('view:notifications:alert') });
    const alert = { message: 'Server maintenance in 10 minutes', level: 'warning' };
    await untilSubscribed(page, site, 'view:notifications:alert');
    // The first one may have been sent before.
    await page.evaluate(readFileSync(join(FOLDER, 'alert.js'), 'utf8'));
    await expect.poll(() => callsOf(page, 'heard')).toContainEqual([expect.objectContaining(alert)]);
});

pasted('updates that are throttled, on a channel of three parts', async ({ page, site, paste }) => {
    await paste({ file: 'throttle.js', functions: ['heard'], before: `${publisher}${listener('view:myApp:update')}` });
    await untilSubscribed(page, site, 'view:myApp:update');
    await page.evaluate('Promise.all([1, 2, 3].map((n) => updateWithThrottle({ n })))');
    await expect.poll(() => heardByPage(page)).toEqual([[expect.objectContaining({ n: 1 })]]);
});

pasted('changes that go out together, on a channel of three parts', async ({ page, site, paste }) => {
    await paste({ file: 'batch.js', functions: ['heard'], before: `${publisher}${listener('view:myApp:changes')}` });
    await untilSubscribed(page, site, 'view:myApp:changes');
    await page.evaluate('scheduleChange({ n: 1 }); scheduleChange({ n: 2 })');
    await expect.poll(() => heardByPage(page)).toEqual([[expect.objectContaining({ changes: [{ n: 1 }, { n: 2 }] })]]);
});

pasted('a request and its answer', async ({ page, paste }) => {
    const sent = await paste({ file: 'fetch.mjs', routes: { 'POST /api/1/myController': { success: true } } });
    const uuid = await uuidOf(page);
    await expect.poll(() => sent).toMatchObject([{ body: { uuid, title: 'New task', description: 'Task details' } }]);
});

pasted('the cluster mode, said in a toast', async ({ page, paste, complaints }) => {
    complaints.allow(/Redis not available - local-only mode/);
    await paste({ file: 'cluster_mode.js' });
    await expect(toast(page, 'Running in local mode - updates visible only in this tab')).toBeVisible();
});

for (const [file, said] of [
    ['uuid.js', /^My client ID: [0-9a-f-]{36}$/],
    ['console.js', /^Cluster mode: false$/],
] as const) {
    pasted(`what ${file} says in the console`, async ({ page, paste }) => {
        const heard: string[] = [];
        page.on('console', (message) => heard.push(message.text()));
        await paste({ file });
        await expect.poll(() => heard).toContainEqual(expect.stringMatching(said));
    });
}

pasted('an editor that several write in', async ({ page, site, paste }) => {
    const channel = 'view:editor:document:changed';
    const before = `const currentDocId = 'd'; const editor = { on(event, act) { this[event] = act; } };`;
    const functions = ['insertTextAt', 'deleteTextAt', 'showUserCursor'];
    const routes = { 'POST /api/1/document/update': { success: true } };
    const sent = await paste({ file: 'editor.js', before, functions, routes });
    await page.evaluate("editor.change({ type: 'textInserted', position: 1 })");
    expect(sent).toMatchObject([{ body: { documentId: 'd', change: { type: 'textInserted', position: 1 } } }]);
    const change = { position: 3, text: 'x', length: 2, user: { username: 'jane' } };
    await expectCalledFor(page, site, channel, { action: 'textInserted', ...change }, 'insertTextAt', 3, 'x');
    await expectCalledFor(page, site, channel, { action: 'textDeleted', ...change }, 'deleteTextAt', 3, 2);
    await expectCall(page, 'showUserCursor', 'jane', 3);
});

pasted('a notice of the administrator, to all and in a dialogue', async ({ page, paste }) => {
    const body = '<input id="notificationMessage" value="Back at noon"><input id="notificationLevel" value="error">';
    await paste({ file: 'global_notification.js', body });
    await page.evaluate(
        (password) => window.jPulse.api.post('/api/1/auth/login', { username: 'admin', password }),
        ADMIN_PASSWORD,
    );
    const dialogue = page.getByRole('dialog', { name: 'Important Notice' });
    await expect(async () => {
        await page.evaluate('sendGlobalNotification()');
        await expect(dialogue).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await expect(dialogue.getByText('Back at noon')).toBeVisible();
    await expect(page.getByRole('status').getByText('Back at noon').first()).toBeAttached();
    await dialogue.getByRole('button', { name: 'OK' }).click();
});

pasted('a dashboard that follows', async ({ page, site, paste }) => {
    const routes = { 'GET /api/1/dashboard/stats': { success: true, data: { activeUsers: 3, stats: { a: 1 } } } };
    await paste({ file: 'dashboard.js', routes });
    await page.evaluate(`
        window.dashboard = Object.assign(DashboardApp.data(), DashboardApp.methods);
        DashboardApp.mounted.call(dashboard);
    `);
    const shown = () => page.evaluate('({ ...dashboard, recentActions: dashboard.recentActions.map(({ type }) => type) })');
    await expect.poll(shown).toMatchObject({ activeUsers: 3, stats: { a: 1 } });
    await expect(async () => {
        const data = { activeUsers: 4, stats: { a: 2 }, action: { type: 'user_action' } };
        await site.publish('view:dashboard:activity:update', data);
        await expect.poll(shown, { timeout: 500 }).toMatchObject({ activeUsers: 4, stats: { a: 2 } });
    }).toPass();
    expect(await shown()).toMatchObject({ recentActions: expect.arrayContaining(['user_action']) });
});

pasted('a cart on several devices', async ({ page, site, paste }) => {
    const routes = { 'POST /api/1/cart/add': { success: true, cart: { itemCount: 1 } } };
    const sent = await paste({ file: 'cart.js', functions: ['updateCartBadge', 'updateCartItems'], routes });
    await page.evaluate("addToCart('p', 2)");
    await expectCall(page, 'updateCartBadge', 1);
    expect(sent).toMatchObject([{ body: { productId: 'p', quantity: 2 } }]);
    const cart = { itemCount: 5, items: ['p'] };
    const data = { action: 'added', item: { name: 'Pear' }, cart };
    await expectCalledFor(page, site, 'view:shopping:cart:updated', data, 'updateCartItems', ['p']);
    await expect(toast(page, 'Cart updated: added Pear').first()).toBeVisible();
});

pasted('a chat in rooms', async ({ page, site, paste }) => {
    await openChat(page, site);
    const functions = ['displayChatMessage', 'updateUserStatus', 'addUserToRoomList', 'removeUserFromRoomList'];
    const routes = { 'PUT /api/1/user/status': { success: true } };
    const sent = await paste({ file: 'chat.js', before: "const currentRoomId = 'lobby';", functions, routes });
    await page.evaluate("chatWs.send({ type: 'join', roomId: currentRoomId }); sendMessage('good evening');");
    await expect.poll(async () => JSON.stringify(await callsOf(page, 'displayChatMessage'))).toContain('good evening');
    await page.evaluate("setStatus('busy')");
    expect(sent).toMatchObject([{ body: { status: 'busy' } }]);
    const channel = 'view:chat:room:updated';
    await expectCalledFor(page, site, 'view:chat:user:status', { userId: 'u', status: 'busy' }, 'updateUserStatus', 'u', 'busy');
    await expectCalledFor(page, site, channel, { action: 'user_joined', user: { name: 'j' } }, 'addUserToRoomList', { name: 'j' });
    await expectCalledFor(page, site, channel, { action: 'user_left', userId: 'u' }, 'removeUserFromRoomList', 'u');
});

pasted('a request that names the tab', async ({ page, paste }) => {
    const sent = await paste({ file: 'own_messages.mjs', before: 'const data = 1;', routes: { 'POST /api/1/endpoint': { success: true } } });
    const uuid = await uuidOf(page);
    await expect.poll(() => sent).toMatchObject([{ body: { uuid, data: 1 }, uuid }]);
});

for (const [file, body] of [
    ['instead_of_fetch.mjs', { data: 1 }],
    ['after_migration.mjs', { title: 'New item' }],
] as const) {
    pasted(`the request of ${file}`, async ({ page, paste }) => {
        const sent = await paste({ file, before: 'const data = 1;', routes: { 'POST /api/1/myController': { success: true } } });
        await expect.poll(() => sent).toMatchObject([{ body: { ...body, uuid: await uuidOf(page) } }]);
    });
}

pasted('a view that follows changes on any server', async ({ page, site, paste }) => {
    await paste({ file: 'updates.js', functions: ['updateUI'] });
    await expectCalledFor(page, site, 'view:myApp:list:changed', { n: 1 }, 'updateUI', { n: 1 });
});
