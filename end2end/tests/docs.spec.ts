import { readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SITE } from '../kit/built';
import { blocksOf } from '../kit/docs';
import { newFolder, removeFolder } from '../kit/folder';
import { Instance } from '../kit/instance';
import { toasts, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { expect, test, uniqueName } from '../kit/test';

/** What a page of a site owner has besides jPulse: the guides call these functions, and write into these elements. */
const OWN_FUNCTIONS = ['show', 'showSaid', 'showChange', 'updateList', 'loadEverything'];
const OWN_ELEMENTS = ['badge'];

interface Called {
    [name: string]: unknown[][];
}

declare global {
    interface Window {
        called: Called;
    }
}

test('every script in the guides runs', async ({ site, page }) => {
    await signIn(page, site, '/hello-app-cluster/');
    // The endpoint that docs/WEBSOCKETS.md makes.
    const made = await page.evaluate(() =>
        window.jPulse.appCluster
            .fetch('/api/1/ws/endpoints', { method: 'POST', body: { name: 'chat', auth: 'user' } })
            .then((response: Response) => response.status),
    );
    expect([200, 201]).toContain(made);
    await page.evaluate(
        ([functions, elements]) => {
            const called: Called = {};
            for (const name of functions) {
                called[name] = [];
                Object.assign(window, { [name]: (...values: unknown[]) => void called[name].push(values) });
            }
            for (const name of elements) Object.assign(window, { [name]: document.createElement('output') });
            window.called = called;
        },
        [OWN_FUNCTIONS, OWN_ELEMENTS],
    );

    const scripts = blocksOf('js');
    expect(scripts.length).toBeGreaterThanOrEqual(6);
    for (const { place, text } of scripts) {
        const failed = await page.evaluate(`(async () => { ${text}\n })().then(() => null, (error) => String(error))`);
        expect(failed, place).toBeNull();
    }

    // What they subscribed to comes.
    await expect(async () => {
        await site.publish('view:myApp:news:published', { text: 'news from outside' });
        await expect(toasts(page).getByText('news from outside').first()).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await site.addTodo(uniqueName('documented'));
    const calls = (name: string) => page.evaluate((name) => window.called[name].length, name);
    await expect.poll(() => calls('showChange')).toBeGreaterThan(0);
    await expect.poll(() => calls('updateList')).toBeGreaterThan(1);
    await expect.poll(() => page.evaluate(() => (window as unknown as { badge: Element }).badge.textContent)).toBe('connected');
});

test('every piece of HTML in the guides works in a page', async ({ page, redis }) => {
    const { left, right, leave } = await startWithPages(redis.port);
    for (const [number, { place }] of blocksOf('html').entries()) {
        await page.goto(left.at(`/block-${number}.html`));
        expect(await page.evaluate(() => typeof window.jPulse?.appCluster.getUuid()), place).toBe('string');
    }
    await page.close();
    await leave(left, right);
});

test('the first page in Rust and the one in HTML keep each other in sync, over two instances', async ({ redis, openWindow }) => {
    const { left, right, leave } = await startWithPages(redis.port);
    const number = blocksOf('html').findIndex(({ place }) => place.startsWith('docs/FIRST_PAGE.md'));
    const [rust, plain] = await Promise.all([openWindow(), openWindow()]);
    await Promise.all([visit(rust, left.at('/first-page')), plain.goto(right.at(`/block-${number}.html`))]);
    for (const [from, text] of [
        [plain, 'said in plain HTML'],
        [rust, 'said in Rust'],
    ] as const) {
        await from.getByRole('textbox', { name: 'What to say' }).fill(text);
        // Until both have subscribed.
        await expect(async () => {
            await from.getByRole('button', { name: 'Say it' }).click();
            for (const page of [rust, plain]) {
                await expect(page.locator('output').filter({ hasText: text })).toBeVisible({ timeout: 1_000 });
            }
        }).toPass();
    }
    await Promise.all([rust.close(), plain.close()]);
    await leave(left, right);
});

const isPage = (html: string): boolean => /^<!doctype html>/i.test(html);

/** Two instances on the site as it was built, with every piece of HTML of the guides as a page beside it. */
async function startWithPages(redisPort: number) {
    const folder = newFolder();
    for (const name of readdirSync(SITE)) symlinkSync(join(SITE, name), join(folder, name));
    for (const [number, { text }] of blocksOf('html').entries()) {
        const html = isPage(text) ? text : `<!doctype html>\n<html lang="en">\n<head>\n<title>A piece</title>\n${text}</head>\n</html>\n`;
        writeFileSync(join(folder, `block-${number}.html`), html);
    }
    const environment = {
        JPULSE_SITE_ID: uniqueName('docs'),
        REDIS_HOST: '127.0.0.1',
        REDIS_PORT: String(redisPort),
        SESSION_SECRET: 'the same for both, and long enough',
        LEPTOS_SITE_ROOT: folder,
    };
    const start = (number: string) => Instance.start({ ...environment, JPULSE_INSTANCE: number });
    const [left, right] = await Promise.all([start('1'), start('2')]);
    const leave = async (...instances: Instance[]) => {
        await Promise.all(instances.map((instance) => instance.stop()));
        removeFolder(folder);
    };
    return { left, right, leave };
}
