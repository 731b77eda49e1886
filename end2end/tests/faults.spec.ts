import type { Page } from '@playwright/test';

import { expectBadge, toasts, visit } from '../kit/pages';
import { KIND } from '../kit/proxy';
import { expect, test } from '../kit/test';

const OVERVIEW = '/hello-app-cluster/';

const counter = async (page: Page, name: string): Promise<number> =>
    Number(await page.getByText(name, { exact: true }).locator('xpath=following-sibling::dd').textContent());

/** Waits until `page` has received all that is published by now, and nothing is lost. */
async function expectCaughtUp(page: Page, sender: Page): Promise<void> {
    const published = (await counter(sender, 'Published here')) + 5;
    await expect.poll(() => counter(page, 'Received'), { timeout: 40_000 }).toBeGreaterThanOrEqual(published);
    expect(await counter(page, 'Lost')).toBe(0);
}

const press = (page: Page, name: string) => page.getByRole('button', { name }).click();

test('whatever a developer breaks, no message is lost, and the panel says so', async ({ pair, openWindow, complaints }) => {
    test.skip(KIND !== null, 'behind a proxy there is no panel');
    test.setTimeout(180_000);
    const [left, right] = [await openWindow(), await openWindow()];
    await Promise.all([visit(left, pair.left.at(OVERVIEW)), visit(right, pair.right.at(OVERVIEW))]);
    await Promise.all([expectBadge(left, 'Live'), expectBadge(right, 'Live')]);
    await press(left, 'Send 5 messages a second');
    // The row begins with its first message on both.
    await expect.poll(() => counter(right, 'Received')).toBeGreaterThan(0);
    await expectCaughtUp(right, left);

    await press(left, 'Cut Redis');
    await expectBadge(left, 'Live, local');
    await expectBadge(left, 'Live');
    await expectCaughtUp(right, left);

    await press(left, 'Let Redis hang');
    await expect(toasts(left).getByText('Let Redis hang').last()).toBeVisible();
    await expectCaughtUp(right, left);

    await press(right, 'Stall this tab');
    await expectCaughtUp(right, left);

    complaints.allow(/WebSocket connection to .* failed|net::ERR_/);
    // Both are known to the whole cluster once each has reported.
    await expect
        .poll(async () => {
            await press(left, 'Kill the other instance');
            return pair.right.program.hasEnded;
        }, { timeout: 30_000, intervals: [2_000] })
        .toBe(true);
    await expectCaughtUp(left, left);
});

test('a page that came through a proxy shows no panel and cannot break anything', async ({ site, page, request }) => {
    await page.setExtraHTTPHeaders({ 'X-Forwarded-For': '192.0.2.7' });
    await visit(page, site.at(OVERVIEW));
    await expect(page.getByRole('heading', { name: 'This instance' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Cut Redis' })).toHaveCount(0);
    const answer = await request.post(site.at('/fn/cause-fault'), {
        headers: { 'X-Forwarded-For': '192.0.2.7' },
        form: { fault: 'cut-redis' },
    });
    expect(answer.status()).toBe(404);
});
