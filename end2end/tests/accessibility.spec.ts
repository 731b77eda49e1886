import { expectAccessible } from '../kit/accessible';
import { ADMIN_PAGES, PAGES, TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

test('a task is added, ticked off and deleted with the keyboard alone', async ({ site, page }) => {
    const board = new TodoBoard(page);
    const title = uniqueName('typed');
    await visit(page, site.at(TODO_PAGE));
    const tabTo = async (target: ReturnType<typeof board.box>) => {
        for (let presses = 0; presses < 60; presses += 1) {
            if (await target.evaluate((element) => element === document.activeElement)) return;
            await page.keyboard.press('Tab');
        }
        await expect(target).toBeFocused();
    };
    await tabTo(board.title);
    await page.keyboard.type(title);
    await page.keyboard.press('Enter');
    await expect(board.box(title)).toBeEnabled();
    await tabTo(board.box(title));
    await page.keyboard.press('Space');
    await expect(board.box(title)).toBeChecked();
    await expect(board.box(title)).toBeEnabled();
    await expect(board.box(title)).toBeFocused();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(board.row(title)).toHaveCount(0);
    await expect(page.getByRole('list', { name: 'Tasks' })).toBeFocused();
});

test('the first stop of the keyboard leads past the navigation', async ({ site, page }) => {
    await visit(page, site.at(TODO_PAGE));
    await page.keyboard.press('Tab');
    await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('main')).toBeFocused();
});

for (const path of [...PAGES, '/no-such-page']) {
    test(`${path} is accessible, in light and dark, on a desk and on a phone`, async ({ site, page, complaints }) => {
        complaints.allow(/status of 404/);
        await site.addTodo(uniqueName('a-title-without-any-space-that-goes-on-and-on-and-on-until-no-phone-can-hold-it'));
        await visit(page, site.at(path));
        await expectBadge(page, 'Live, local');
        await page.evaluate(() => {
            for (const level of ['info', 'success', 'warning', 'error']) window.jPulse.UI.toast.show(`A toast: ${level}`, level);
        });
        await expect(page.getByText('A toast: error')).toBeVisible();
        await expectAccessible(page);
    });
}

for (const path of ADMIN_PAGES) {
    test(`${path} is accessible to administrators, in light and dark, on a desk and on a phone`, async ({ site, page }) => {
        await signIn(page, site, path);
        await expectBadge(page, 'Live, local');
        await expectAccessible(page);
    });
}
