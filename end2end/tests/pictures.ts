import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { ADMIN_PAGES, PAGES, TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { expect, test } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** Where the pictures go: `PICTURES=folder playwright test`. */
const FOLDER = process.env.PICTURES ?? '';

const LOOKS = [
    { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
    { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

for (const path of [...PAGES, ...ADMIN_PAGES, '/no-such-page']) {
    test(`pictures of ${path}`, async ({ site, page, complaints }) => {
        complaints.allow(/./);
        mkdirSync(FOLDER, { recursive: true });
        const { _id: id } = await site.addTodo('Water the plants');
        await site.call('PUT', `/api/1/helloClusterTodo/${id}/toggle`);
        await site.addTodo('Ask whether Thursday suits everybody, and book the room with the large table if it does');
        if (ADMIN_PAGES.includes(path)) await signIn(page, site, path);
        else await visit(page, site.at(path));
        await expectBadge(page, 'Live, local');
        await page.evaluate(() => window.jPulse.UI.toast.show('Something worth knowing', 'info'));
        for (const { name, ...look } of LOOKS) {
            await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: 'reduce' });
            await page.setViewportSize(look.viewport);
            const file = `${path.replaceAll('/', ' ').trim().replaceAll(' ', '-') || 'home'}-${name}.png`;
            await page.screenshot({ path: join(FOLDER, file), fullPage: true });
        }
    });
}

test('the picture of the README: two windows on two instances, in step', async ({ pair, openWindow }) => {
    mkdirSync(FOLDER, { recursive: true });
    const look = { viewport: { width: 560, height: 744 }, deviceScaleFactor: 2, colorScheme: 'light' } as const;
    const boards = [new TodoBoard(await openWindow(look)), new TodoBoard(await openWindow(look))];
    const [left, right] = boards;
    await Promise.all([visit(left.page, pair.left.at(TODO_PAGE)), visit(right.page, pair.right.at(TODO_PAGE))]);
    for (const { page } of boards) await expectBadge(page, 'Live');
    for (const title of ['Water the plants', 'Book the room with the large table', 'Ask Ann whether Thursday suits her']) {
        await left.add(title);
        await expect(right.row(title)).toHaveCount(1);
    }
    await right.toggle('Water the plants');
    await expect(left.box('Water the plants')).toBeChecked();
    const windows = await Promise.all(
        boards.map(async ({ page }, index) => {
            await page.mouse.move(0, 0);
            await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
            const picture = (await page.screenshot()).toString('base64');
            return `<figure><figcaption>127.0.0.1:${8080 + index}</figcaption><img src="data:image/png;base64,${picture}"></figure>`;
        }),
    );
    const frame = await openWindow({ viewport: { width: 1200, height: 824 }, deviceScaleFactor: 1 });
    await frame.setContent(`<style>
        body { display: flex; gap: 24px; margin: 0; padding: 24px; background: #dfe5e1; font: 14px system-ui, sans-serif }
        figure { flex: 1; margin: 0; border-radius: 10px; overflow: hidden; box-shadow: 0 8px 30px rgb(20 30 25 / 18%) }
        figcaption { padding: 8px 14px; background: #fff; color: #515b56 }
        img { display: block; width: 100% }
    </style>${windows.join('')}`);
    await frame.screenshot({ path: join(FOLDER, 'two-windows.png') });
});
