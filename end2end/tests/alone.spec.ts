import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { BINARY, SITE } from '../kit/built';
import { newFolder, removeFolder } from '../kit/folder';
import { Instance } from '../kit/instance';
import { TODO_PAGE, expectBadge, toasts, visit } from '../kit/pages';
import { test as base, expect } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** A folder with nothing but the binary and its site. */
const test = base.extend<{ place: { binary: string; folder: string } }>({
    place: async ({}, use) => {
        const folder = newFolder();
        const binary = join(folder, 'server');
        cpSync(BINARY, binary);
        cpSync(SITE, join(folder, 'site'), { recursive: true });
        await use({ binary, folder });
        removeFolder(folder);
    },
});

test('two tabs of an instance with nothing but its site stay in sync, and tasks survive a restart', async ({ place, context }) => {
    const first = await Instance.startBare(place);
    const [one, other] = [new TodoBoard(await context.newPage()), new TodoBoard(await context.newPage())];
    await Promise.all([visit(one.page, first.at(TODO_PAGE)), visit(other.page, first.at(TODO_PAGE))]);
    await one.add('Stay');
    await one.add('Go');
    await other.toggle('Stay');
    await expect(one.box('Stay')).toBeChecked();
    await one.remove('Go');
    await expect(other.row('Go')).toHaveCount(0);
    await one.page.close();
    await other.page.close();
    expect(await first.stop()).toBe(0);

    const second = await Instance.startBare(place);
    const again = new TodoBoard(await context.newPage());
    await visit(again.page, second.at(TODO_PAGE));
    await expect(again.box('Stay')).toBeChecked();
    expect(await again.titles()).toEqual(['Stay']);
    await again.page.close();
    expect(await second.stop()).toBe(0);
});

test('a page stays in sync with an instance that is stopped and started again', async ({ place, page, complaints }) => {
    // The browser says so itself while nobody listens.
    complaints.allow(/net::ERR_CONNECTION_REFUSED/);
    const first = await Instance.startBare(place);
    const board = new TodoBoard(page);
    await visit(page, first.at(TODO_PAGE));
    await expectBadge(page, 'Live, local');
    expect(await first.stop()).toBe(0);
    await expectBadge(page, 'Reconnecting');

    const second = await Instance.startBare(place, first.port);
    await second.addTodo('Written while you were away');
    await expect(board.row('Written while you were away')).toHaveCount(1, { timeout: 45_000 });
    await expectBadge(page, 'Live, local');
    expect(await second.stop()).toBe(0);
});

test('an instance alone says that it is alone, calmly', async ({ site, page }) => {
    await visit(page, site.at('/hello-app-cluster/'));
    await expectBadge(page, 'Live, local');
    expect(await page.evaluate(() => window.jPulse.appCluster.isClusterMode())).toBe(false);
    const hint = page.getByRole('complementary', { name: 'Local mode' });
    await expect(hint).toBeVisible();
    await expect(page.getByText('This instance only')).toBeVisible();
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(toasts(page)).toBeEmpty();
    await hint.getByRole('button', { name: 'Dismiss' }).click();
    await expect(hint).toHaveCount(0);
});
