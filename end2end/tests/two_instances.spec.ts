import { NotificationBoard } from '../kit/notification_board';
import { NOTIFICATIONS_PAGE, TODO_PAGE, expectBadge, toasts, visit } from '../kit/pages';
import { expect, test } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

test('a task added, ticked off and deleted on one instance shows in a browser on the other', async ({ pair, openWindow }) => {
    const [left, right] = [new TodoBoard(await openWindow()), new TodoBoard(await openWindow())];
    await Promise.all([visit(left.page, pair.left.at(TODO_PAGE)), visit(right.page, pair.right.at(TODO_PAGE))]);
    await Promise.all([expectBadge(left.page, 'Live'), expectBadge(right.page, 'Live')]);

    await left.add('Water the plants');
    await expect(right.row('Water the plants')).toHaveCount(1);
    await expect(right.box('Water the plants')).not.toBeChecked();

    await right.toggle('Water the plants');
    await expect(left.box('Water the plants')).toBeChecked();

    await left.toggle('Water the plants');
    await expect(right.box('Water the plants')).not.toBeChecked();

    await right.remove('Water the plants');
    await expect(left.row('Water the plants')).toHaveCount(0);
    for (const board of [left, right]) {
        await expect(board.page.getByText('0 in all: 0 open, 0 done')).toBeVisible();
    }
});

test('who adds a task sees it once, whichever comes first, the answer or the news', async ({ pair, openWindow }) => {
    const [left, right] = [new TodoBoard(await openWindow()), new TodoBoard(await openWindow())];
    await Promise.all([visit(left.page, pair.left.at(TODO_PAGE)), visit(right.page, pair.right.at(TODO_PAGE))]);
    // From now on the answer comes after the news.
    await left.page.route('**/fn/todo-add*', async (route) => {
        const response = await route.fetch();
        await expect(right.row('Buy tea')).toHaveCount(1);
        await route.fulfill({ response });
    });
    await left.add('Buy tea');
    await expect(right.row('Buy tea')).toHaveCount(1);
    // News of a channel come in order: with this one, all news of the first has come.
    await right.add('Buy milk');
    for (const board of [left, right]) {
        await expect(board.row('Buy milk')).toHaveCount(1);
        await expect(board.box('Buy tea')).toBeEnabled();
        expect(await board.titles()).toEqual(['Buy milk', 'Buy tea']);
        await expect(board.page.getByText('2 in all: 2 open, 0 done')).toBeVisible();
    }
});

test('a page shows what changed between its rendering and its hydration', async ({ pair, page }) => {
    const board = new TodoBoard(page);
    // The page has been rendered, its scripts are on their way.
    await page.route('**/*.wasm', async (route) => {
        await pair.right.addTodo('Added in between');
        await route.continue();
    });
    await visit(page, pair.left.at(TODO_PAGE));
    await expect(board.row('Added in between')).toHaveCount(1);
});

test('a notification arrives in a browser on the other instance with its toast, and its sender gets none', async ({ pair, openWindow }) => {
    const [left, right] = [new NotificationBoard(await openWindow()), new NotificationBoard(await openWindow())];
    await Promise.all([
        visit(left.page, pair.left.at(NOTIFICATIONS_PAGE)),
        visit(right.page, pair.right.at(NOTIFICATIONS_PAGE)),
    ]);
    await Promise.all([expectBadge(left.page, 'Live'), expectBadge(right.page, 'Live')]);

    await left.send('Ada', 'Lunch is ready');
    await expect(toasts(right.page).getByText('Ada: Lunch is ready')).toBeVisible();
    await expect(right.message('Lunch is ready')).toHaveCount(1);
    await expect(left.message('Lunch is ready')).toHaveCount(1);
    await expect(left.message('Lunch is ready')).toContainText('Ada (you)');
    await expect(toasts(left.page).getByText('Sent to every open browser.')).toBeVisible();

    // Messages of a channel come in order: had its own come back, it would be there with this one.
    await right.send('Grace', 'On my way');
    await expect(toasts(left.page).getByText('Grace: On my way')).toBeVisible();
    await expect(toasts(left.page).getByText('Ada: Lunch is ready')).toHaveCount(0);
    await expect(left.message('Lunch is ready')).toHaveCount(1);
    await expect(left.messages).toHaveCount(2);
});

test('the overview says that other instances are reached', async ({ pair, page }) => {
    await visit(page, pair.left.at('/hello-app-cluster/'));
    await expectBadge(page, 'Live');
    await expect(page.getByText('Reached through Redis')).toBeVisible();
    await expect(page.getByText('Every instance', { exact: true })).toBeVisible();
    await expect(page.getByRole('complementary', { name: 'Local mode' })).toHaveCount(0);
    expect(await page.evaluate(() => window.jPulse.appCluster.isClusterMode())).toBe(true);
});
