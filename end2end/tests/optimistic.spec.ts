import { TODO_PAGE, expectBadge, toasts, visit } from '../kit/pages';
import { Instance } from '../kit/instance';
import { Mongod } from '../kit/mongod';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** A gate: those who wait pass when it is opened. */
function newGate(): { open: () => void; passed: Promise<void> } {
    let open = (): void => undefined;
    const passed = new Promise<void>((resolve) => (open = resolve));
    return { open, passed };
}

test('a change shows at once and is taken back with a toast when the server fails', async ({ site, page, complaints }) => {
    complaints.allow(/status of 500/);
    const board = new TodoBoard(page);
    const [kept, wished] = [uniqueName('kept'), uniqueName('wished')];
    await site.addTodo(kept);
    await visit(page, site.at(TODO_PAGE));
    const failures = toasts(page).getByText('Something went wrong on our side.');

    for (const [number, request, act, isShown, isTakenBack] of [
        [
            1,
            'todo-add',
            () => board.add(wished),
            () => expect(board.row(wished)).toHaveCount(1),
            () => expect(board.row(wished)).toHaveCount(0),
        ],
        [
            2,
            'todo-toggle',
            () => board.toggle(kept),
            () => expect(board.box(kept)).toBeChecked(),
            () => expect(board.box(kept)).not.toBeChecked(),
        ],
        [
            3,
            'todo-delete',
            () => board.remove(kept),
            () => expect(board.row(kept)).toHaveCount(0),
            () => expect(board.row(kept)).toHaveCount(1),
        ],
    ] as const) {
        const gate = newGate();
        await page.route(`**/fn/${request}*`, async (route) => {
            await gate.passed;
            await route.fulfill({ status: 500, body: 'out of order' });
        });
        await act();
        await isShown();
        gate.open();
        await isTakenBack();
        // One toast, which counts.
        await expect(failures).toContainText(number === 1 ? 'our side.' : `×${number}`);
    }
    // What was typed is not lost.
    await expect(board.title).toHaveValue(wished);
});

test('a task that somebody else deleted is taken away with a toast when it is ticked off', async ({ site, page, complaints }) => {
    complaints.allow(/status of 404/);
    const board = new TodoBoard(page);
    const title = uniqueName('soon-gone');
    const { _id: id } = await site.addTodo(title);
    await visit(page, site.at(TODO_PAGE));
    await page.route('**/fn/todo-toggle*', async (route) => {
        await site.call('DELETE', `/api/1/helloClusterTodo/${id}`);
        await route.continue();
    });
    await board.toggle(title);
    await expect(toasts(page).getByText('This task no longer exists.')).toBeVisible();
    await expect(board.row(title)).toHaveCount(0);
});

test('without its MongoDB an instance takes changes back, says so, and recovers', async ({ page, complaints }) => {
    complaints.allow(/status of 503/);
    const mongod = await Mongod.start();
    const instance = await Instance.start({ MONGODB_URI: mongod.uri('tasks') });
    const board = new TodoBoard(page);
    await visit(page, instance.at(TODO_PAGE));
    await expectBadge(page, 'Live, local');
    mongod.stall();
    await board.add('While it hangs');
    await expect(toasts(page).getByText('The list cannot be reached just now.')).toBeVisible({ timeout: 30_000 });
    await expect(board.row('While it hangs')).toHaveCount(0);
    mongod.goOn();
    await expect(async () => {
        await board.add('When it is back');
        await expect(board.row('When it is back')).not.toHaveCount(0);
        await expect(board.box('When it is back').first()).toBeEnabled();
    }).toPass();
    await page.close();
    await instance.stop();
    await mongod.end();
});
