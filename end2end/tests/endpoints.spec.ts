import { type Page } from '@playwright/test';

import { Front } from '../kit/front';
import { expectBadge, expectConnected, toasts, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { type Pair, expect, test } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** Opens a page on both instances and waits until both are connected to its endpoint. */
async function openBoth(pair: Pair, openWindow: () => Promise<Page>, path: string): Promise<[Page, Page]> {
    const [left, right] = [await openWindow(), await openWindow()];
    await Promise.all([visit(left, pair.left.at(path)), visit(right, pair.right.at(path))]);
    await expectConnected(left, right);
    return [left, right];
}

/** How many people a page counts on its endpoint. */
async function expectPresent(count: number, ...pages: Page[]): Promise<void> {
    for (const page of pages) {
        const people = page.getByRole('list', { name: /^Here now/ }).getByRole('listitem');
        await expect(people).toHaveCount(count);
        await expect(people.filter({ hasText: '(you)' })).toHaveCount(1);
    }
}

test('a cursor and a reaction on one instance show in a browser on the other', async ({ pair, openWindow }) => {
    const [left, right] = await openBoth(pair, openWindow, '/hello-websocket/emoji');
    await expectPresent(2, left, right);
    const field = left.getByRole('application');
    const box = await field.boundingBox();
    if (!box) throw new Error('the field is not on the page');
    const seen = right.getByRole('application').getByText(/^Guest/);
    // Half-way to the right, a quarter down: the cursor's tip is there on the other screen as well.
    await left.mouse.move(box.x + box.width / 2, box.y + box.height / 4);
    await expect(seen).toHaveCount(1);
    const place = () => right.locator('.cursor:not(.cursor-own)').evaluate((cursor) => {
        const { left, top } = (cursor as HTMLElement).style;
        return [parseFloat(left), parseFloat(top)].map(Math.round);
    });
    await expect.poll(place).toEqual([50, 25]);

    await field.focus();
    await left.keyboard.press('ArrowRight');
    await left.keyboard.press('ArrowDown');
    await expect.poll(place).toEqual([54, 29]);

    await left.getByRole('button', { name: 'Rocket' }).click();
    const latest = right.getByRole('list', { name: 'Latest reactions' }).getByRole('listitem');
    await expect(latest).toHaveCount(1);
    await expect(latest).toContainText('🚀 Guest');
    await expect(left.getByRole('list', { name: 'Latest reactions' })).toContainText('🚀');

    await left.close();
    await expectPresent(1, right);
    await expect(seen).toHaveCount(0);
});

test('moves of a cursor are told at most every 50 ms, and the last one is', async ({ site, page }) => {
    let moves: number[] = [];
    page.on('websocket', (socket) =>
        socket.on('framesent', ({ payload }) => {
            if (String(payload).includes('"move"')) moves.push((JSON.parse(String(payload)) as { data: { x: number } }).data.x);
        }),
    );
    await visit(page, site.at('/hello-websocket/emoji'));
    await expectConnected(page);
    const field = page.getByRole('application');
    const width = (await field.boundingBox())?.width ?? 0;
    const began = Date.now();
    await field.evaluate(async (element) => {
        for (let step = 1; step <= 100; step += 1) {
            const { left, top } = element.getBoundingClientRect();
            const at = { clientX: left + 1 + step, clientY: top + 20 };
            element.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, ...at }));
            await new Promise((done) => setTimeout(done, 5));
        }
    });
    await expect.poll(() => Math.round((moves.at(-1) ?? 0) * width)).toBeGreaterThanOrEqual(99);
    const allowed = Math.ceil((Date.now() - began) / 50) + 2;
    expect(moves.length).toBeGreaterThan(2);
    expect(moves.length).toBeLessThanOrEqual(allowed);
});

test('a task added, ticked off and deleted over the WebSocket shows on the other instance', async ({ pair, openWindow }) => {
    const before = await pair.left.addTodo('Here before');
    const [left, right] = (await openBoth(pair, openWindow, '/hello-websocket/todo')).map((page) => new TodoBoard(page));
    await expect(right.row(before.title)).toHaveCount(1);

    await left.add('Water the plants');
    for (const board of [left, right]) await expect(board.row('Water the plants')).toHaveCount(1);
    await expect(left.box('Water the plants')).toBeEnabled();
    await right.toggle('Water the plants');
    await expect(left.box('Water the plants')).toBeChecked();
    await left.remove('Water the plants');
    for (const board of [left, right]) {
        await expect(board.row('Water the plants')).toHaveCount(0);
        await expect(board.page.getByText('1 in all: 1 open, 0 done')).toBeVisible();
    }
});

test('the to-do list over the WebSocket is there without scripts, and its forms work', async ({ site, openWindow }) => {
    await site.addTodo('Readable without scripts');
    const page = await openWindow({ javaScriptEnabled: false });
    await page.goto(site.at('/hello-websocket/todo'));
    const board = new TodoBoard(page);
    await expect(board.row('Readable without scripts').first()).toBeVisible();
    await board.add('Added without scripts');
    await expect(page.getByText('The task was added.')).toBeVisible();
    await expect(page).toHaveURL(/\/hello-websocket\/todo\?notice=added$/);
    await expect(board.row('Added without scripts').first()).toBeVisible();
});

test('who is in a room hears what is said there, on both instances, and nobody else does', async ({ pair, openWindow }) => {
    const [left, right] = await openBoth(pair, openWindow, '/hello-websocket/rooms');
    const room = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
    const said = (page: Page, name: string) => page.getByRole('list', { name: `Said in the ${name}` });
    await left.getByRole('button', { name: 'Join the kitchen' }).click();
    await expect(room(left, 'Kitchen')).toContainText('1 open tab');
    await right.getByRole('button', { name: 'Join the garden' }).click();
    await expect(room(right, 'Garden')).toContainText('1 open tab');
    await right.getByRole('button', { name: 'Join the kitchen' }).click();
    for (const page of [left, right]) {
        await expect(room(page, 'Kitchen')).toContainText('2 open tabs');
        await expect(page.getByRole('list', { name: 'In the kitchen', exact: true }).getByRole('listitem')).toHaveCount(2);
    }

    await right.getByRole('textbox', { name: 'Say in the garden' }).fill('Only for the garden');
    await right.keyboard.press('Enter');
    await expect(said(right, 'garden')).toContainText('Only for the garden');
    await right.getByRole('textbox', { name: 'Say in the kitchen' }).fill('Tea is ready');
    await right.keyboard.press('Enter');
    await expect(said(left, 'kitchen')).toContainText('Tea is ready');
    await expect(left.getByText('Only for the garden')).toHaveCount(0);

    await right.getByRole('button', { name: 'Leave the kitchen' }).click();
    await expect(room(left, 'Kitchen')).toContainText('1 open tab');
    await expect(left.getByRole('list', { name: 'In the kitchen', exact: true }).getByRole('listitem')).toHaveCount(1);
    await left.getByRole('textbox', { name: 'Say in the kitchen' }).fill('Gone already?');
    await left.keyboard.press('Enter');
    await expect(said(left, 'kitchen')).toContainText('Gone already?');
    await expect(said(right, 'kitchen')).not.toContainText('Gone already?');
    // A browser that is closed says no goodbye.
    await right.getByRole('button', { name: 'Join the kitchen' }).click();
    await expect(room(left, 'Kitchen')).toContainText('2 open tabs');
    await right.close();
    await expect(room(left, 'Kitchen')).toContainText('1 open tab');
    await expect(left.getByRole('list', { name: 'In the kitchen', exact: true }).getByRole('listitem')).toHaveCount(1);
});

test('every request has its answer, of the server, of the page, or an error', async ({ pair, openWindow }) => {
    const pages = await openBoth(pair, openWindow, '/hello-websocket/request');
    for (const page of pages) {
        const answers = page.getByRole('list', { name: 'Answers' }).getByRole('listitem');
        await page.getByRole('textbox', { name: 'Something the server repeats' }).fill('Hello <b>there</b>');
        await page.getByRole('button', { name: 'Say', exact: true }).click();
        await expect(answers.first()).toContainText('The server said “Hello <b>there</b>”');
        await page.getByRole('button', { name: 'Let the server ask back' }).click();
        await expect(answers.first()).toContainText(/this page answered \d\d:\d\d:\d\d/);
        await page.getByRole('button', { name: 'Ask what nobody answers' }).click();
        await expect(answers.first()).toContainText('NO_REPLY');
        await page.getByRole('button', { name: 'Ask for something wrong' }).click();
        await expect(answers.first()).toContainText('INVALID_ID');
        await expect(answers).toHaveCount(4);
    }
});

test('a chat over two instances: messages in their room, who types, and notices for every room', async ({ pair, openWindow }) => {
    const [left, right] = await openBoth(pair, openWindow, '/hello-websocket/chat');
    await Promise.all([expectBadge(left, 'Live'), expectBadge(right, 'Live')]);
    await expectPresent(2, left, right);
    const messages = (page: Page) => page.getByRole('log', { name: 'Messages of the room' }).getByRole('listitem');
    const write = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });

    await write(left).pressSequentially('Hel');
    await expect(right.getByText(/^Guest \w+ is typing$/)).toBeVisible();
    await write(left).fill('Hello over there');
    await left.keyboard.press('Enter');
    for (const page of [left, right]) await expect(messages(page)).toContainText(['Hello over there']);
    await expect(messages(left)).toContainText('(you)');
    await expect(right.getByText(/is typing$/)).toHaveCount(0);

    await right.getByRole('radio', { name: 'Help' }).check();
    await expect(messages(right)).toHaveCount(0);
    await write(left).fill('Still in general');
    await left.keyboard.press('Enter');
    await expect(messages(left)).toHaveCount(2);
    await left.getByRole('textbox', { name: 'Notice for all rooms' }).fill('Lunch at noon');
    await left.keyboard.press('Enter');
    for (const page of [left, right]) await expect(page.getByRole('region', { name: 'Notice board' })).toContainText('Lunch at noon');
    await expect(messages(right)).toHaveCount(0);
    await expect(toasts(left)).toBeEmpty();
});

test('a status set in the chat of one instance shows on the other, also to who comes later', async ({ pair, openWindow }) => {
    const [own, other, late] = [await openWindow(), await openWindow(), await openWindow()];
    await signIn(own, pair.left, '/hello-websocket/chat');
    await visit(other, pair.right.at('/hello-websocket/chat'));
    await expectConnected(own, other);
    await expect(other.getByRole('radio', { name: 'Away' })).toHaveCount(0);
    await own.getByRole('radio', { name: 'Away' }).check();
    const notThere = (page: Page) => page.getByRole('list', { name: 'Away or busy' }).getByRole('listitem');
    await expect(notThere(own)).toHaveText('admin: Away');
    await expect(notThere(other)).toHaveText('admin: Away');
    await visit(late, pair.right.at('/hello-websocket/chat'));
    await expect(notThere(late)).toHaveText('admin: Away');
    await own.getByRole('radio', { name: 'Online' }).check();
    for (const page of [own, other, late]) await expect(notThere(page)).toHaveCount(0);
});

test('a chat goes on over another instance when its own is gone', async ({ pair, openWindow, complaints }) => {
    // The browser's own words about the connection that was cut.
    complaints.allow(/WebSocket connection to .* failed|ERR_CONNECTION|ERR_EMPTY_RESPONSE|status of 50/);
    const front = await Front.start(pair.left.port);
    const [moving, staying] = [await openWindow(), await openWindow()];
    await Promise.all([visit(moving, front.at('/hello-websocket/chat')), visit(staying, pair.right.at('/hello-websocket/chat'))]);
    await expectConnected(moving, staying);
    await expectPresent(2, moving, staying);
    front.leadTo(null);
    await expect(moving.getByRole('main').getByText('Reconnecting', { exact: true })).toBeVisible();
    front.leadTo(pair.right.port);
    await expectConnected(moving);
    await expectPresent(2, moving, staying);
    const write = (page: Page) => page.getByRole('textbox', { name: 'Message', exact: true });
    const messages = (page: Page) => page.getByRole('log', { name: 'Messages of the room' }).getByRole('listitem');
    await write(moving).fill('Back again');
    await moving.keyboard.press('Enter');
    for (const page of [moving, staying]) await expect(messages(page)).toContainText(['Back again']);
    await write(staying).fill('Welcome back');
    await staying.keyboard.press('Enter');
    await expect(messages(moving)).toHaveCount(2);
    front.end();
});
