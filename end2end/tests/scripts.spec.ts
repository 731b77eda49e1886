import { expectAlive, toasts, visit } from '../kit/pages';
import { expectHeard, expectStanding, heard, heardFields, publish, subscribe, subscribeSurely } from '../kit/script';
import { expect, test, uniqueName } from '../kit/test';

const PAGE = '/hello-app-cluster/';

/** A channel that no other test uses. */
const newChannel = (): string => `view:end2end:${uniqueName('script')}:said`;

// A page that a test changed on its way counts as one from elsewhere.
test.use({ permissions: ['local-network-access'] });

test('an inline script subscribes before WebAssembly is there, and hears everything from then on', async ({ site, page }) => {
    const channel = newChannel();
    // The page of a site owner: a script of its own in the head.
    await page.route('**/hello-app-cluster/', async (route) => {
        const response = await route.fetch();
        const html = await response.text();
        const nonce = html.match(/<script nonce="([^"]+)"/)?.[1];
        const script = `
            window.early = { isAlive: document.documentElement.hasAttribute('data-hydrated'), heard: [] };
            jPulse.dom.ready(() => { window.early.isReady = true; });
            window.early.handle = jPulse.appCluster.broadcast.subscribe('${channel}', (data) => window.early.heard.push(data.n));
            jPulse.appCluster.broadcast.publish('${channel}', { n: 0 }).then((receipt) => { window.early.receipt = receipt; });
        `;
        await route.fulfill({ response, body: html.replace('</head>', `<script nonce="${nonce}">${script}</script></head>`) });
    });
    await visit(page, site.at(PAGE));
    const early = () =>
        page.evaluate(() => {
            const { handle, ...rest } = (window as unknown as { early: Record<string, unknown> }).early;
            return { ...rest, channel: (handle as { channel: string }).channel };
        });
    await expect.poll(early).toMatchObject({ isAlive: false, isReady: true, channel, receipt: { channel } });
    await expect(async () => {
        await publish(page, channel, { n: 1 });
        expect((await early()) as unknown).toMatchObject({ heard: expect.arrayContaining([1]) });
    }).toPass();
});

test('publishing answers with a receipt, and subscribers get data and meta', async ({ site, page }) => {
    const channel = newChannel();
    await visit(page, site.at(PAGE));
    await subscribeSurely(page, 'all', channel);
    const receipt = await publish(page, channel, { text: 'one' });
    expect(receipt).toMatchObject({
        channel,
        instanceId: expect.any(String),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        id: expect.any(String),
        epoch: expect.any(String),
        offset: expect.any(Number),
    });
    await expectHeard(page, 'all', 'text', ['one']);
    const [{ data, meta }] = await heard(page, 'all');
    const uuid = await page.evaluate(() => window.jPulse.appCluster.getUuid());
    expect(data).toEqual({ text: 'one', uuid });
    expect(meta).toEqual({
        channel,
        id: receipt.id,
        offset: receipt.offset,
        timestamp: receipt.timestamp,
        recovered: false,
        unordered: false,
    });
});

test('a payload arrives as it was published, whatever it holds', async ({ site, page }) => {
    const channel = newChannel();
    await visit(page, site.at(PAGE));
    await subscribeSurely(page, 'all', channel);
    const numbers = [0, -0.1, 0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 2 ** 53 - 1, 1e21, -1e-7];
    for (let count = 0; count < 200; count += 1) numbers.push(Math.random());
    const text = 'Grüße 🌱 \u2028 \u0000 </script> "quoted" \\ \ud83d\ude00';
    const payload = { numbers, text, nested: { empty: {}, list: [null, true, [], ''] }, __proto__x: 1 };
    await publish(page, channel, payload);
    await expect.poll(async () => (await heard(page, 'all')).length).toBe(1);
    const [{ data }] = await heard(page, 'all');
    const { uuid, ...rest } = data;
    expect(rest).toEqual(payload);
});

test('publishing works with WebAssembly blocked', async ({ site, page, complaints }) => {
    complaints.allow(/Failed to load resource: net::ERR_FAILED|Failed to fetch/);
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto(site.at(PAGE));
    const channel = newChannel();
    expect(await publish(page, channel, { text: 'plain' })).toMatchObject({ channel, id: expect.any(String) });
});

test('an unsubscribed callback hears nothing more', async ({ site, page }) => {
    const channel = newChannel();
    await visit(page, site.at(PAGE));
    await subscribeSurely(page, 'stays', channel);
    await page.evaluate((channel) => {
        const kept: unknown[] = [];
        const jPulse = window.jPulse;
        const handle = jPulse.appCluster.broadcast.subscribe(channel, (data: { n: number }) => {
            kept.push(data.n);
            handle.unsubscribe();
            handle.unsubscribe();
        });
        Object.assign(window, { kept });
    }, channel);
    for (const n of [1, 2, 3]) await publish(page, channel, { n });
    await expectHeard(page, 'stays', 'n', [1, 2, 3]);
    expect(await page.evaluate(() => (window as unknown as { kept: number[] }).kept)).toEqual([1]);
});

test('a pattern hears every channel below it', async ({ site, page }) => {
    const part = uniqueName('pattern');
    await visit(page, site.at(PAGE));
    await subscribeSurely(page, 'exact', `view:${part}:b:c`);
    await subscribe(page, 'pattern', `view:${part}:*`);
    await expectStanding(page, 'pattern', () => publish(page, `view:${part}:b:d`, { probe: true }));
    await publish(page, `view:${part}:b:c`, { n: 1 });
    await publish(page, `view:${part}:b:c:d`, { n: 2 });
    await expect
        .poll(async () => new Set(await heardFields(page, 'pattern', 'n')))
        .toEqual(new Set([1, 2]));
    expect(await heardFields(page, 'exact', 'n')).toEqual([1]);
});

test('forbidden and malformed channels are refused where they stand', async ({ site, page }) => {
    await visit(page, site.at(PAGE));
    const codes = await page.evaluate(async () => {
        const { subscribe, publish } = window.jPulse.appCluster.broadcast;
        const subscribed = (channel: unknown, callback: unknown = () => undefined) => {
            try {
                subscribe(channel, callback);
                return 'accepted';
            } catch (error) {
                return (error as { code: string }).code;
            }
        };
        const published = async (channel: unknown, data: unknown) =>
            publish(channel, data).then(
                () => 'accepted',
                (error: { code: string }) => error.code,
            );
        return {
            controller: subscribed('controller:app:cache:cleared'),
            model: subscribed('model:*'),
            short: subscribed('view:a'),
            empty: subscribed(''),
            none: subscribed(undefined),
            space: subscribed('view:a:b:c d'),
            star: subscribed('view:a:*:c'),
            long: subscribed(`view:a:b:${'c'.repeat(200)}`),
            noCallback: subscribed('view:a:b:c', 'alert'),
            publishController: await published('controller:app:cache:cleared', {}),
            publishPattern: await published('view:a:*', {}),
            publishText: await published('view:a:b:c', 'text'),
            publishArray: await published('view:a:b:c', [1]),
            publishNothing: await published('view:a:b:c', undefined),
        };
    });
    expect(codes).toEqual({
        controller: 'FORBIDDEN_CHANNEL',
        model: 'FORBIDDEN_CHANNEL',
        short: 'INVALID_CHANNEL_NAME',
        empty: 'INVALID_CHANNEL_NAME',
        none: 'INVALID_CHANNEL_NAME',
        space: 'INVALID_CHANNEL_NAME',
        star: 'INVALID_CHANNEL_NAME',
        long: 'INVALID_CHANNEL_NAME',
        noCallback: 'INVALID_CALLBACK',
        publishController: 'FORBIDDEN_CHANNEL',
        publishPattern: 'INVALID_CHANNEL_NAME',
        publishText: 'INVALID_DATA',
        publishArray: 'INVALID_DATA',
        publishNothing: 'INVALID_DATA',
    });
});

test('the name of a tab outlives a reload and a change of page, and a duplicated tab gets its own', async ({ site, page, context }) => {
    const name = (of = page) => of.evaluate(() => window.jPulse.appCluster.getUuid() as string);
    await visit(page, site.at(PAGE));
    const first = await name();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    await page.reload();
    expect(await name()).toBe(first);
    await visit(page, site.at('/hello-spa/todo'));
    expect(await name()).toBe(first);

    const opening = context.waitForEvent('page');
    await page.evaluate(() => void window.open(location.href));
    const copy = await opening;
    await expectAlive(copy);
    const second = await name(copy);
    expect(second).not.toBe(first);
    await copy.reload();
    expect(await name(copy)).toBe(second);
    await page.reload();
    expect(await name()).toBe(first);
});

test('a request answers with a Response that carries the envelope, and names the tab', async ({ site, page, complaints }) => {
    complaints.allow(/status of 400/);
    await visit(page, site.at(PAGE));
    const title = uniqueName('fetched');
    const sent = page.waitForRequest((request) => request.url().endsWith('/api/1/helloClusterTodo') && request.method() === 'POST');
    const facts = await page.evaluate(async (title) => {
        const { fetch, getUuid } = window.jPulse.appCluster;
        const created = await fetch('/api/1/helloClusterTodo', { method: 'POST', body: { text: title } });
        const { todo } = await created.json();
        const deleted = await fetch(`/api/1/helloClusterTodo/${todo._id}`, { method: 'DELETE' });
        const status = await fetch('/api/1/app-cluster/broadcast/status');
        const refused = await window.jPulse.api.post('/api/1/helloClusterTodo', { text: '' });
        return {
            uuid: getUuid(),
            isResponse: created instanceof Response,
            created: [created.ok, created.status, created.success, created.todo.title === todo.title, todo.title],
            deleted: [deleted.ok, deleted.success],
            status: [status.success, status.data.redisMode, typeof (await status.text())],
            refused: [refused.ok, refused.status, refused.success, refused.code],
        };
    }, title);
    expect(facts).toMatchObject({
        isResponse: true,
        created: [true, 201, true, true, title],
        deleted: [true, true],
        status: [true, 'none', 'string'],
        refused: [false, 400, false, 'VALIDATION_ERROR'],
    });
    const request = await sent;
    expect(request.headers()['x-jpulse-uuid']).toBe(facts.uuid);
    expect(request.postDataJSON()).toEqual({ uuid: facts.uuid, text: title });
});

test('omitSelf leaves out what the tab itself published, over the socket and over REST', async ({ site, page, openWindow }) => {
    const channel = newChannel();
    const other = await openWindow();
    await Promise.all([visit(page, site.at(PAGE)), visit(other, site.at(PAGE))]);
    await subscribeSurely(page, 'all', channel);
    await subscribeSurely(other, 'all', channel);
    await subscribe(page, 'others', channel, { omitSelf: true });
    await expectStanding(page, 'others', () => publish(other, channel, { probe: true }));

    await publish(page, channel, { from: 'own socket' });
    await page.evaluate(
        (channel) =>
            window.jPulse.appCluster.fetch(`/api/1/app-cluster/broadcast/${channel}`, {
                method: 'POST',
                body: { data: { from: 'own request' } },
            }),
        channel,
    );
    await publish(other, channel, { from: 'other tab' });

    await expectHeard(page, 'all', 'from', ['own socket', 'own request', 'other tab']);
    await expectHeard(page, 'others', 'from', ['other tab']);
});

test('a message published with omitSelf comes to everybody but the tab that sent it', async ({ site, page, openWindow }) => {
    const channel = newChannel();
    const other = await openWindow();
    await Promise.all([visit(page, site.at(PAGE)), visit(other, site.at(PAGE))]);
    await subscribeSurely(other, 'all', channel);
    await subscribeSurely(page, 'all', channel);
    await publish(page, channel, { n: 1 }, { omitSelf: true });
    await publish(page, channel, { n: 2 });
    await expectHeard(other, 'all', 'n', [1, 2]);
    await expectHeard(page, 'all', 'n', [2]);
});

test('a callback that throws harms nobody else', async ({ site, page, complaints }) => {
    complaints.allow(/thrown on purpose/);
    const channel = newChannel();
    await visit(page, site.at(PAGE));
    await page.evaluate((channel) => {
        window.jPulse.appCluster.broadcast.subscribe(channel, () => {
            throw new Error('thrown on purpose');
        });
    }, channel);
    await subscribeSurely(page, 'all', channel);
    for (const n of [1, 2]) await publish(page, channel, { n });
    await expectHeard(page, 'all', 'n', [1, 2]);
});

test('toasts of scripts appear, those raised before the page is alive too', async ({ site, page }) => {
    await page.goto(site.at(PAGE), { waitUntil: 'commit' });
    await page.waitForFunction(() => Boolean(window.jPulse?.UI?.toast));
    await page.evaluate(() => window.jPulse.UI.toast.show('An early toast', 'success'));
    await expectAlive(page);
    await page.evaluate(() => window.jPulse.UI.toast.show('<b>A late toast</b>', 'warning'));
    await expect(toasts(page).getByText('An early toast')).toBeVisible();
    await expect(toasts(page).getByText('<b>A late toast</b>')).toBeVisible();
});
