import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Locator, Page } from '@playwright/test';

import { expectAccessible } from '../kit/accessible';
import { SITE } from '../kit/built';
import { CART_PAGE, PAGES, expectBadge, toasts, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { sourceOf } from '../kit/source';
import { expect, test } from '../kit/test';

const INDEX = '/hello-app-cluster/patterns/';
const NOTICES_PAGE = `${INDEX}global-notifications`;
const MOTTO_PAGE = `${INDEX}configuration-cache`;
const PATTERNS = PAGES.filter((path) => path.startsWith(INDEX) && path !== INDEX);

/** How many of a product are in the cart. */
const quantity = (page: Page, product: string): Locator => page.getByRole('spinbutton', { name: `Quantity of ${product}` });
const add = (page: Page, product: string): Promise<void> => page.getByRole('button', { name: `Add ${product}` }).click();
const cartId = (page: Page): Promise<string> =>
    page.evaluate(async () => (await window.jPulse.api.get('/api/1/cart')).cart.id as string);

test('the cards of the index lead to the patterns', async ({ site, page }) => {
    await visit(page, site.at(INDEX));
    const links = await page.getByRole('main').getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    expect(links).toEqual(expect.arrayContaining(PATTERNS));
    expect(links).toContain(`${INDEX}collaborative-editing`);
});

for (const path of PATTERNS) {
    test(`${path} shows its own source, as it stands in the files`, async ({ site, page }) => {
        await visit(page, site.at(path));
        const files = page.getByRole('region', { name: 'The source of this page' }).locator('details');
        expect(await files.count()).toBeGreaterThanOrEqual(2);
        for (const file of await files.all()) {
            const name = (await file.locator('summary').textContent())?.trim() ?? '';
            expect(await file.locator('pre code').textContent()).toBe(sourceOf(name));
        }
    });
}

test('what pages show of their source is no part of the WebAssembly', () => {
    const folder = join(SITE, 'pkg');
    const modules = readdirSync(folder).filter((name) => name.endsWith('.wasm'));
    expect(modules).not.toEqual([]);
    for (const name of modules) {
        const text = readFileSync(join(folder, name), 'latin1');
        expect(text).not.toContain('First listen, then load');
        expect(text).not.toContain('Granted, it is in what the server said');
    }
});

test('what is put into the cart on one device shows on the other within a second', async ({ pair, openWindow }) => {
    await pair.addUser('mona');
    const [desk, phone] = [await openWindow(), await openWindow()];
    await signIn(desk, pair.left, CART_PAGE, 'mona');
    await signIn(phone, pair.right, CART_PAGE, 'mona');
    await Promise.all([expectBadge(desk, 'Live'), expectBadge(phone, 'Live')]);

    await add(desk, 'Green tea');
    await expect(quantity(phone, 'Green tea')).toHaveValue('1', { timeout: 1_000 });
    await expect(toasts(phone).getByText('Your cart was changed on another device.')).toBeVisible();
    await quantity(phone, 'Green tea').fill('7');
    await quantity(phone, 'Green tea').press('Enter');
    await expect(quantity(desk, 'Green tea')).toHaveValue('7', { timeout: 1_000 });
    for (const page of [desk, phone]) await expect(page.getByText('7 items, 33.60 €')).toBeVisible();

    // Pressed fast, on both at once: nothing is lost, and both agree.
    for (let times = 0; times < 5; times += 1) await Promise.all([add(desk, 'Honey'), add(phone, 'Honey')]);
    for (const page of [desk, phone]) await expect(quantity(page, 'Honey')).toHaveValue('10');
    await desk.getByRole('button', { name: 'Remove Green tea' }).click();
    await expect(quantity(phone, 'Green tea')).toHaveCount(0);
    await expectAccessible(desk, '.sources');
});

test('another user sees, and is sent, nothing of it', async ({ pair, openWindow }) => {
    await pair.addUser('mona');
    const [hers, theirs] = [await openWindow(), await openWindow()];
    const frames: string[] = [];
    theirs.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => frames.push(payload.toString())));
    await signIn(hers, pair.left, CART_PAGE, 'mona');
    await signIn(theirs, pair.right, CART_PAGE);
    await Promise.all([expectBadge(hers, 'Live'), expectBadge(theirs, 'Live')]);
    const [herId, theirId] = await Promise.all([cartId(hers), cartId(theirs)]);
    expect(herId).not.toBe(theirId);

    await add(hers, 'Coffee');
    await expect(hers.getByText('1 item, 6.90 €')).toBeVisible();
    // What comes behind it has come: had there been anything, it would be here.
    await theirs.evaluate(() => window.jPulse.api.post('/api/1/cart/add', { productId: 'cup', quantity: 1 }));
    await expect(quantity(theirs, 'Stoneware cup')).toHaveValue('1');
    await expect(quantity(theirs, 'Coffee')).toHaveCount(0);
    const broadcasts = frames.filter((frame) => frame.includes('cart:updated'));
    expect(broadcasts.length).toBeGreaterThan(0);
    expect(broadcasts.filter((frame) => !frame.includes(theirId))).toEqual([]);
    expect(frames.filter((frame) => frame.includes(herId))).toEqual([]);
});

test('a guest is led to sign in and back to the cart', async ({ site, page }) => {
    await visit(page, site.at(CART_PAGE));
    await page.getByRole('main').getByRole('link', { name: 'Sign in to shop' }).click();
    await page.waitForURL(site.at(`/login?next=${CART_PAGE}`));
    await signIn(page, site, CART_PAGE);
    await expect(page.getByRole('button', { name: 'Add Coffee' })).toBeVisible();
});

test('a change of the cart shows at once and is taken back when the server fails', async ({ site, page, complaints }) => {
    complaints.allow(/status of 500/);
    await signIn(page, site, CART_PAGE);
    await page.route('**/fn/cart-add*', async (route) => {
        await expect(quantity(page, 'Apples')).toHaveValue('1');
        await route.fulfill({ status: 500, body: 'out of order' });
    });
    await add(page, 'Apples');
    await expect(toasts(page).getByText('Something went wrong on our side.')).toBeVisible();
    await expect(quantity(page, 'Apples')).toHaveCount(0);
});

test('what changed in the cart between rendering and hydration shows', async ({ pair, page, openWindow }) => {
    const other = await openWindow();
    await signIn(other, pair.right, CART_PAGE);
    await signIn(page, pair.left, '/hello-app-cluster/');
    await page.route('**/*.wasm', async (route) => {
        await other.evaluate(() => window.jPulse.api.post('/api/1/cart/add', { productId: 'bread', quantity: 2 }));
        await route.continue();
    });
    await visit(page, pair.left.at(CART_PAGE));
    await expect(quantity(page, 'Rye bread')).toHaveValue('2');
});

test('a notice is shown as a toast in a browser on the other instance', async ({ pair, openWindow }) => {
    const [left, right] = [await openWindow(), await openWindow()];
    await Promise.all([visit(left, pair.left.at(NOTICES_PAGE)), visit(right, pair.right.at(NOTICES_PAGE))]);
    await Promise.all([expectBadge(left, 'Live'), expectBadge(right, 'Live')]);
    await left.getByRole('textbox', { name: 'Message' }).fill('Tea is ready');
    await left.getByLabel('Level').selectOption('warning');
    await left.getByRole('button', { name: 'Send' }).click();
    for (const page of [left, right]) await expect(toasts(page)).toContainText('Warning Tea is ready');
});

test('a motto is on all instances at once, and each says where it read it', async ({ pair, openWindow }) => {
    const [left, right] = [await openWindow(), await openWindow()];
    await Promise.all([visit(left, pair.left.at(MOTTO_PAGE)), visit(right, pair.right.at(MOTTO_PAGE))]);
    await Promise.all([expectBadge(left, 'Live'), expectBadge(right, 'Live')]);
    const field = left.getByRole('textbox', { name: 'New motto' });
    let number = 0;
    // The instances know of each other some seconds after their start.
    await expect(async () => {
        await field.fill(`Less, but better ${(number += 1)}`);
        await left.getByRole('button', { name: 'Save' }).click();
        for (const page of [left, right]) {
            await expect(page.getByText(/was on all 2 instances within \d+ ms/)).toBeVisible({ timeout: 2_000 });
        }
    }).toPass({ timeout: 60_000 });
    for (const page of [left, right]) await expect(page.getByText(`Less, but better ${number}`)).toBeVisible();
    await right.getByRole('button', { name: 'Read it again' }).click();
    await expect(right.getByText('Memory', { exact: true })).toBeVisible();
    await expectAccessible(right, '.sources');
});
