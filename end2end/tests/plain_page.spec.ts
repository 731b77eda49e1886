import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { expectAccessible } from '../kit/accessible';
import { SITE } from '../kit/built';
import { visit } from '../kit/pages';
import { expectCall, plainPage, script, spies, test } from '../kit/plain_page';
import { expectHeard, expectStanding, publish, subscribe, subscribeSurely } from '../kit/script';
import { ADMIN_PASSWORD, expect, uniqueName } from '../kit/test';

const HELLO = '/hello-plain.html';
const newChannel = (): string => `view:end2end:${uniqueName('plain')}:said`;
/** What a plain page may download, compressed. */
const MOST_BYTES = 90_000;

test('one tag is enough to subscribe, publish and leave out what the tab itself said', async ({ site, page, openWindow, put }) => {
    const channel = newChannel();
    const path = put(plainPage());
    const other = await openWindow();
    await Promise.all([page.goto(site.at(path)), other.goto(site.at(path))]);
    await subscribeSurely(page, 'all', channel);
    await subscribe(page, 'others', channel, { omitSelf: true });
    await expectStanding(page, 'others', () => publish(other, channel, { probe: true }));
    const receipt = await publish(page, channel, { from: 'own' });
    expect(receipt).toMatchObject({ channel, id: expect.any(String), offset: expect.any(Number) });
    await publish(other, channel, { from: 'other' });
    await expectHeard(page, 'all', 'from', ['own', 'other']);
    await expectHeard(page, 'others', 'from', ['other']);
});

test('a plain page does not load the site, and what it loads is small', async ({ site, page, put }) => {
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    const path = put(plainPage());
    await page.goto(site.at(path));
    await subscribeSurely(page, 'all', newChannel());
    expect(loaded.filter((path) => /\/pkg\/jpulse\./.test(path))).toEqual([]);
    const names = ['jpulse.js', ...readdirSync(join(SITE, 'pkg')).filter((name) => /^client\..*\.(js|wasm)$/.test(name)).map((name) => `pkg/${name}`)];
    expect(names).toHaveLength(3);
    expect(loaded).toEqual(expect.arrayContaining(names.map((name) => `/${name}`)));
    const bytes = names.map((name) => statSync(join(SITE, `${name}.br`)).size).reduce((sum, size) => sum + size);
    expect(bytes).toBeLessThan(MOST_BYTES);
});

test('scripts behind the tag find everything there, and what they want waits for the client', async ({ site, page, put }) => {
    const channel = newChannel();
    const text = `
        jPulse.appCluster.broadcast.subscribe('${channel}', (data) => heard(data.n));
        jPulse.dom.ready(() => ready());
        jPulse.appCluster.broadcast.publish('${channel}', { n: 0 }).then(({ channel }) => published(channel));
        jPulse.UI.toast.show('At once', 'success');
    `;
    await page.goto(site.at(put(plainPage(spies('heard', 'ready', 'published'), script(text)))));
    await expectCall(page, 'ready');
    await expectCall(page, 'published', channel);
    await expect(page.getByRole('status').getByText('At once')).toBeVisible();
    await expect(async () => {
        await site.publish(channel, { n: 1 });
        await expect.poll(() => page.evaluate(() => window.calls), { timeout: 500 }).toContainEqual(['heard', 1]);
    }).toPass();
});

test('a page without a word on the cluster learns from the relay whether instances hear each other', async ({ pair, page, put }) => {
    const path = put(plainPage(spies('changed'), script('jPulse.appCluster.onClusterChange(changed);')));
    const isClusterMode = () => page.evaluate(() => window.jPulse.appCluster.isClusterMode());
    await page.goto(pair.left.at(path));
    await expect.poll(isClusterMode).toBe(true);
    await expectCall(page, 'changed', true);
    // The next page begins with what the last one was told.
    await page.reload();
    expect(await isClusterMode()).toBe(true);
});

test('plain pages on two instances hear each other', async ({ pair, page, openWindow, put }) => {
    const channel = newChannel();
    const path = put(plainPage());
    const other = await openWindow();
    await Promise.all([page.goto(pair.left.at(path)), other.goto(pair.right.at(path))]);
    await subscribe(page, 'all', channel);
    await expectStanding(page, 'all', () => publish(other, channel, { probe: true }));
    await publish(other, channel, { n: 1 });
    await expectHeard(page, 'all', 'n', [1]);
});

test('a strict content security policy needs nothing but one word for WebAssembly', async ({ site, page, put }) => {
    const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'";
    const path = put(plainPage().replace('<title>', `<meta http-equiv="Content-Security-Policy" content="${policy}"><title>`));
    await page.goto(site.at(path));
    await subscribeSurely(page, 'all', newChannel());
    await page.evaluate(() => window.jPulse.UI.toast.show('In its place'));
    const toast = page.getByRole('status').getByText('In its place');
    await expect(toast).toBeVisible();
    expect(await toast.evaluate((element) => getComputedStyle(element.parentElement as Element).position)).toBe('fixed');
});

test('the tag may stand twice', async ({ site, page, put }) => {
    const channel = newChannel();
    await page.goto(site.at(put(plainPage('<script src="/jpulse.js"></script>', '<script type="module" src="/jpulse.js?again"></script>'))));
    await subscribeSurely(page, 'all', channel);
    await publish(page, channel, { n: 1 });
    await expectHeard(page, 'all', 'n', [1]);
});

test('the tag in a page of the site changes nothing', async ({ site, page }) => {
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
    await visit(page, site.at('/hello-app-cluster/'));
    const name = () => page.evaluate(() => window.jPulse.appCluster.getUuid() as string);
    const before = await name();
    await page.addScriptTag({ url: '/jpulse.js' });
    expect(await name()).toBe(before);
    await subscribeSurely(page, 'all', newChannel());
    expect(loaded.filter((path) => path.includes('/pkg/client.'))).toEqual([]);
});

test('where no WebSocket gets through, a plain page hears over an event stream', async ({ site, page, put, complaints }) => {
    complaints.allow(/WebSocket/);
    await page.routeWebSocket(/jp-broadcast/, (socket) => socket.close());
    await page.goto(site.at(put(plainPage())));
    const channel = newChannel();
    await subscribeSurely(page, 'all', channel);
    await publish(page, channel, { n: 1 });
    await expectHeard(page, 'all', 'n', [1]);
});

test('the plain demo tells what is said to every window, and nobody is hindered', async ({ site, page, openWindow }) => {
    const other = await openWindow();
    await Promise.all([page.goto(site.at('/')), other.goto(site.at(HELLO))]);
    await page.getByRole('link', { name: 'A plain HTML page' }).click();
    await page.waitForURL(site.at(HELLO));
    const text = uniqueName('hello');
    const said = (of: typeof page) => of.getByRole('list', { name: 'What was said' }).getByText(text);
    await page.getByLabel('Your message').fill(text);
    await expect(async () => {
        await page.getByLabel('Your message').fill(text);
        await page.getByRole('button', { name: 'Tell everybody' }).click();
        await expect(said(other).first()).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(said(page).first()).toBeVisible();
    await expect(page.getByLabel('Your message')).toHaveValue('');
    await expectAccessible(page);
});

test('a script keeps small values of who is signed in, and a guest has none', async ({ site, page, put, complaints }) => {
    complaints.allow(/status of 401/);
    await page.goto(site.at(put(plainPage())));
    const [category, key] = [uniqueName('theme'), 'mode/of pages'];
    const keep = (value: unknown) =>
        page.evaluate(([category, key, value]) => window.jPulse.appCluster.cache.set(category, key, value, { ttl: 60 }), [category, key, value] as [string, string, unknown]);
    const kept = () => page.evaluate(([category, key]) => window.jPulse.appCluster.cache.get(category, key), [category, key]);
    const forget = () => page.evaluate(([category, key]) => window.jPulse.appCluster.cache.del(category, key), [category, key]);
    expect([await keep('dark'), await kept(), await forget()]).toEqual([false, null, false]);
    await page.evaluate((password) => window.jPulse.api.post('/api/1/auth/login', { username: 'admin', password }), ADMIN_PASSWORD);
    const value = { mode: 'dark', sizes: [1, 2] };
    expect([await keep(value), await kept()]).toEqual([true, value]);
    expect([await forget(), await kept()]).toEqual([true, null]);
});
