import type { Page } from '@playwright/test';

import { Front } from '../kit/front';
import { NotificationBoard } from '../kit/notification_board';
import { NOTIFICATIONS_PAGE, TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { expectHeard, heard, subscribeSurely } from '../kit/script';
import { type Pair, expect, test } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

const HUNDRED = Array.from({ length: 100 }, (_, index) => index + 1);

/** Publishes number after number on the right instance; meanwhile the left one dies and the front moves. */
async function loseLeftWhile(pair: Pair, front: Front, publish: (number: number) => Promise<unknown>): Promise<void> {
    for (const number of HUNDRED) {
        await publish(number);
        if (number === 20) {
            await pair.left.kill();
            front.leadTo(null);
        }
        if (number === 80) front.leadTo(pair.right.port);
    }
}

/** A page behind a front that leads to the left instance. */
const behindFront = test.extend<{ front: Front }>({
    front: async ({ pair, complaints }, use) => {
        const front = await Front.start(pair.left.port);
        // The browser says so itself when a connection is refused, be it for a socket or for a stream in its place.
        complaints.allow(/WebSocket connection to .* failed|net::ERR_/);
        await use(front);
        front.end();
    },
});

behindFront('a script hears exactly the hundred messages, in order, when its instance dies in the middle', async ({ pair, front, page }) => {
    const channel = 'view:end2end:number:said';
    await visit(page, front.at('/'));
    await subscribeSurely(page, 'numbers', channel);

    await loseLeftWhile(pair, front, (number) => pair.right.publish(channel, { number }));

    await expectHeard(page, 'numbers', 'number', HUNDRED);
    const metas = (await heard(page, 'numbers')).map(({ meta }) => meta);
    expect(new Set(metas.map(({ id }) => id)).size).toBe(100);
    const first = metas[0].offset ?? NaN;
    expect(metas.map(({ offset }) => offset)).toEqual(HUNDRED.map((number) => first + number - 1));
    expect(metas.some(({ recovered }) => recovered)).toBe(true);
    await expectNothingMore(page, pair, channel);
});

/** With a last message behind them, all that could come twice would have come. */
async function expectNothingMore(page: Page, pair: Pair, channel: string): Promise<void> {
    await pair.right.publish(channel, { number: 'last' });
    await expectHeard(page, 'numbers', 'number', [...HUNDRED, 'last']);
}

behindFront('the to-do list shows exactly the hundred tasks, in order, when its instance dies in the middle', async ({ pair, front, page }) => {
    const board = new TodoBoard(page);
    await visit(page, front.at(TODO_PAGE));
    await expectBadge(page, 'Live');

    await loseLeftWhile(pair, front, (number) => pair.right.addTodo(`Task ${number}`));

    const newestFirst = HUNDRED.map((number) => `Task ${number}`).reverse();
    await expect.poll(() => board.titles(), { timeout: 30_000 }).toEqual(newestFirst);
    await expect(page.getByText('100 in all: 100 open, 0 done')).toBeVisible();
    await expectBadge(page, 'Live');
});

behindFront('the notifications show the latest fifty, in order, when their instance dies in the middle', async ({ pair, front, page }) => {
    const board = new NotificationBoard(page);
    await visit(page, front.at(NOTIFICATIONS_PAGE));
    await expectBadge(page, 'Live');
    const channel = 'view:helloNotification:message:sent';
    // A subscription stands when something has come through it.
    await expect(async () => {
        await pair.left.publish(channel, { message: 'Probe', senderName: 'Ada' });
        await expect(board.message('Probe').first()).toBeVisible({ timeout: 1000 });
    }).toPass();

    await loseLeftWhile(pair, front, (number) =>
        pair.right.publish(channel, { message: `Number ${number}.`, senderName: 'Ada' }),
    );

    const newestFirst = HUNDRED.slice(50).map((number) => `Number ${number}.`).reverse();
    await expect(board.messages).toContainText(newestFirst, { timeout: 30_000 });
});

behindFront('the badge says when the connection is lost and when it is back', async ({ pair, front, page }) => {
    await visit(page, front.at('/'));
    await expectBadge(page, 'Live');
    front.leadTo(null);
    await expectBadge(page, 'Reconnecting');
    front.leadTo(pair.right.port);
    await expectBadge(page, 'Live');
});
