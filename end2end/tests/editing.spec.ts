import type { Page } from '@playwright/test';

import { Front } from '../kit/front';
import { Instance } from '../kit/instance';
import { visit } from '../kit/pages';
import { SharedText, TEXT_PAGE, insertInFront, storedText } from '../kit/shared_text';
import { expect, test } from '../kit/test';

/** Lets an input method show this at the cursor, in place of what it showed before. */
async function compose(page: Page, text: string): Promise<void> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
    await devtools.detach();
}

/** What Chromium itself says of a network that is gone. */
const NO_NETWORK = /net::ERR_(INTERNET_DISCONNECTED|CONNECTION_|EMPTY_RESPONSE|NETWORK_CHANGED)|WebSocket connection to/;

test('three browsers on two instances write at random, one offline for 10 seconds, and end equal', async ({ pair, openWindow, complaints }) => {
    complaints.allow(NO_NETWORK);
    // Cuts the connections that stand: a browser that is made to be offline keeps them.
    const front = await Front.start(pair.left.port);
    const [ann, ben, cleo] = [
        new SharedText(await openWindow()),
        new SharedText(await openWindow()),
        new SharedText(await openWindow()),
    ];
    await visit(ann.page, front.at(TEXT_PAGE));
    await visit(ben.page, pair.left.at(TEXT_PAGE));
    await visit(cleo.page, pair.right.at(TEXT_PAGE));
    await ann.append('Shopping list 🛒\n');
    for (const writer of [ann, ben, cleo]) await expect(writer.field).toHaveValue('Shopping list 🛒\n');

    let seed = 20_261_122;
    const dice = (): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return seed / 2 ** 32;
    };
    const write = async (writer: SharedText, name: string, until: number): Promise<void> => {
        for (let count = 0; Date.now() < until; count += 1) {
            await writer.changeSomewhere(dice, `${name}${count}${['é', '😀', '\n', ''][count % 4]}`);
            await writer.page.waitForTimeout(dice() * 120);
        }
    };
    const all = (milliseconds: number): Promise<unknown> => {
        const until = Date.now() + milliseconds;
        return Promise.all([write(ann, 'a', until), write(ben, 'b', until), write(cleo, 'c', until)]);
    };

    await all(3_000);
    await ann.page.context().setOffline(true);
    front.leadTo(null);
    await all(10_000);
    await expect(ann.page.getByText(/^Offline: \d+ changes wait$/)).toBeVisible();
    expect(await ann.text()).not.toBe(await ben.text());
    front.leadTo(pair.left.port);
    await ann.page.context().setOffline(false);
    await all(3_000);

    for (const writer of [ann, ben, cleo]) await writer.expectSaved();
    await expect(async () => {
        const { text } = await storedText(pair.right);
        for (const writer of [ann, ben, cleo]) expect(await writer.text()).toBe(text);
    }).toPass();
    const { version, text } = await storedText(pair.left);
    expect(text.length).toBeGreaterThan(100);
    expect(version).toBeGreaterThan(50);
    await expect(ann.page.getByText('Your latest changes could not be saved')).toHaveCount(0);
    front.end();
});

test('what others write leaves the cursor and the selection where they were, and shows where others are', async ({ pair, openWindow }) => {
    const [ann, ben] = [new SharedText(await openWindow()), new SharedText(await openWindow())];
    await visit(ann.page, pair.left.at(TEXT_PAGE));
    await visit(ben.page, pair.right.at(TEXT_PAGE));
    await ann.append('one two three');
    await expect(ben.field).toHaveValue('one two three');
    await ben.goTo(4, 7);

    await ann.goTo(0);
    await ann.page.keyboard.type('zero 😀\n');
    await expect(ben.field).toHaveValue('zero 😀\none two three');
    expect(await ben.selection()).toEqual([12, 15]);
    const others = ben.page.getByRole('list', { name: 'Others in the text' });
    await expect(others.getByText(/^Guest \w+ is at line 2$/)).toBeVisible();
    // A move without a change is told as well.
    await ann.page.keyboard.press('ArrowUp');
    await expect(others.getByText(/^Guest \w+ is at line 1$/)).toBeVisible();

    await ben.page.keyboard.type('2');
    await expect(ann.field).toHaveValue('zero 😀\none 2 three');
    // Who leaves is gone after ten seconds.
    await ann.page.close();
    await expect(others.getByRole('listitem')).toHaveCount(0, { timeout: 25_000 });
});

test('undoing takes back what one wrote oneself, and nothing of others', async ({ page }) => {
    const instance = await Instance.start();
    const text = new SharedText(page);
    await visit(page, instance.at(TEXT_PAGE));
    await text.append('tea');
    await text.append(' cake');
    await text.expectSaved();
    await insertInFront(instance, 'hot ');
    await expect(text.field).toHaveValue('hot tea cake');
    await page.keyboard.press('Control+z');
    await expect(text.field).not.toHaveValue(/cake/);
    while ((await text.text()) !== 'hot ') await page.keyboard.press('Control+z');
    await page.keyboard.press('Control+z');
    await expect(text.field).toHaveValue('hot ');
    for (let presses = 0; presses < 10; presses += 1) await page.keyboard.press('Control+Shift+z');
    await expect(text.field).toHaveValue('hot tea cake');
    await text.expectSaved();
    expect((await storedText(instance)).text).toBe('hot tea cake');
    await page.close();
    await instance.stop();
});

test('what an input method composes is sent when it is composed, and left alone until then', async ({ page, openWindow }) => {
    const instance = await Instance.start();
    const [text, other] = [new SharedText(page), new SharedText(await openWindow())];
    for (const { page } of [text, other]) await visit(page, instance.at(TEXT_PAGE));
    await text.append('tea');
    await text.expectSaved();
    await expect(other.field).toHaveValue('tea');
    await compose(page, 'ㅎ');
    await expect(text.field).toHaveValue('teaㅎ');
    await compose(page, '하');
    await insertInFront(instance, 'hot ');
    await expect(other.field).toHaveValue('hot tea');
    expect(await text.text(), 'nobody touches the field').toBe('tea하');
    await text.expectSaved();
    await page.keyboard.insertText('한');
    for (const { field } of [text, other]) await expect(field).toHaveValue('hot tea한');
    await text.expectSaved();
    const { version, text: stored } = await storedText(instance);
    expect(stored).toBe('hot tea한');
    expect(version, 'one edit for each key, one from outside, and one composed').toBeLessThanOrEqual(5);
    await page.close();
    await other.page.close();
    await instance.stop();
});

for (const going of ['leaves the field', 'goes on typing'] as const) {
    test(`a composition that ends without an event of its own, when the visitor ${going}, is saved`, async ({ page }) => {
        const instance = await Instance.start();
        const text = new SharedText(page);
        await visit(page, instance.at(TEXT_PAGE));
        // Some browsers and keyboards do not send it.
        await text.field.evaluate((field) => {
            field.addEventListener('compositionend', (event) => event.stopImmediatePropagation(), { capture: true });
            window.addEventListener('compositionend', (event) => event.stopImmediatePropagation(), { capture: true });
        });
        await text.append('tea');
        await text.expectSaved();
        await compose(page, 'ㅎ');
        await expect(text.field).toHaveValue('teaㅎ');
        if (going === 'leaves the field') await text.field.blur();
        else await page.keyboard.type('!');
        await text.expectSaved();
        await expect.poll(async () => (await storedText(instance)).text).toBe(await text.text());
        expect(await text.text()).toContain('teaㅎ');
        await insertInFront(instance, 'hot ');
        await expect(text.field, 'it hears of others').toHaveValue(/^hot teaㅎ/);
        await page.close();
        await instance.stop();
    });
}

test('what was typed before the page came to life is kept', async ({ page }) => {
    const instance = await Instance.start();
    await insertInFront(instance, '\nbefore');
    const text = new SharedText(page);
    await page.route('**/*.wasm', async (route) => {
        await insertInFront(instance, 'others ');
        await text.field.focus();
        await page.keyboard.press('End');
        await page.keyboard.press('Control+End');
        await page.keyboard.insertText(' and early');
        await route.continue();
    });
    await visit(page, instance.at(TEXT_PAGE));
    await expect(text.field).toHaveValue('others \nbefore and early');
    await text.expectSaved();
    expect((await storedText(instance)).text).toBe('others \nbefore and early');
    await page.close();
    await instance.stop();
});

test('a text that cannot be put together any more is set aside, not lost', async ({ page, complaints }) => {
    complaints.allow(/status of 409/);
    const instance = await Instance.start();
    const text = new SharedText(page);
    await insertInFront(instance, 'common');
    await visit(page, instance.at(TEXT_PAGE));
    await page.route('**/fn/text-edit*', (route) => route.fulfill({ status: 409, body: '"text-outdated"' }));
    await text.goTo(6);
    await page.keyboard.insertText(' and mine');
    await expect(page.getByRole('heading', { name: 'Your latest changes could not be saved' })).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Your text' })).toHaveValue('common and mine');
    await expect(text.field).toHaveValue('common');
    await page.unroute('**/fn/text-edit*');
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy my text' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('common and mine');
    await page.getByRole('button', { name: 'I do not need it' }).click();
    await expect(page.getByRole('textbox', { name: 'Your text' })).toHaveCount(0);
    await page.close();
    await instance.stop();
});

test('without scripts a form saves the text, together with what others wrote meanwhile', async ({ openWindow }) => {
    const instance = await Instance.start();
    await insertInFront(instance, '</textarea>\none\ntwo');
    const text = new SharedText(await openWindow({ javaScriptEnabled: false }));
    await text.page.goto(instance.at(TEXT_PAGE));
    await expect(text.field).toHaveValue('</textarea>\none\ntwo');
    await insertInFront(instance, 'zero\n');
    await text.field.fill('</textarea>\none\ntwo\nthree');
    await text.page.getByRole('button', { name: 'Save', exact: true }).click();
    await expect(text.page.getByText('Saved, for every open page.')).toBeVisible();
    await expect(text.field).toHaveValue('zero\n</textarea>\none\ntwo\nthree');
    await text.page.close();
    await instance.stop();
});
