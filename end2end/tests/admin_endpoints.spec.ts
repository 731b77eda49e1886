import type { Page } from '@playwright/test';

import { expectAccessible } from '../kit/accessible';
import { ADMIN_PAGES, expectAlive, expectConnected, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { expect, test } from '../kit/test';

/** What a page counts in one column of an endpoint's row: users, connections, messages. */
function cell(page: Page, endpoint: string, column: number) {
    return page.getByRole('row', { name: endpoint }).getByRole('cell').nth(column);
}

test('the status of endpoints counts both instances and tells who comes and goes', async ({ pair, page, openWindow }) => {
    await signIn(page, pair.left, '/admin/websocket-status');
    await expectConnected(page);
    await expect(cell(page, 'hello-rooms', 0)).toHaveText('Red');
    await expect(cell(page, 'jpulse-ws-status', 0)).toHaveText('Green');

    const windows = [await openWindow(), await openWindow()];
    await visit(windows[0], pair.left.at('/hello-websocket/rooms'));
    await visit(windows[1], pair.right.at('/hello-websocket/rooms'));
    await expectConnected(...windows);
    await expect(cell(page, 'hello-rooms', 0)).toHaveText('Green');
    await expect(cell(page, 'hello-rooms', 1)).toHaveText('2');
    await expect(cell(page, 'hello-rooms', 2)).toHaveText('2');
    const activity = page.getByRole('list', { name: 'Activity' }).getByRole('listitem');
    await expect(activity.filter({ hasText: 'A guest came to hello-rooms' })).toHaveCount(2);
    await windows[1].close();
    await expect(cell(page, 'hello-rooms', 2)).toHaveText('1');
    await expect(activity.filter({ hasText: 'A guest left hello-rooms' })).toHaveCount(1);
    await expectAccessible(page);
});

test('the console shows every frame as it is, and why a connection is refused', async ({ pair, page, complaints }) => {
    // The browser's own words about the endpoint that is none.
    complaints.allow(/WebSocket connection to .*no-such-endpoint|status of 404/);
    await signIn(page, pair.left, '/admin/websocket-console');
    const frames = page.getByRole('list', { name: 'Frames' }).getByRole('listitem');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(frames.first()).toContainText('Connect first.');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expectConnected(page);
    await expect(frames.first()).toContainText('"namespace": "/api/1/ws/jpulse-ws-test"');
    await expect(frames.first()).toContainText('"username": "admin"');

    await page.getByRole('button', { name: 'Send' }).click();
    await expect(frames.first()).toContainText(/Received.*"type": "echo"/s);
    await page.getByRole('button', { name: 'Not JSON' }).click();
    await expect(page.getByText('It can be sent all the same.')).toBeVisible();
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(frames.first()).toContainText('INVALID_MESSAGE');
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await expect(frames.first()).toContainText('You closed the connection.');

    await page.getByRole('combobox', { name: 'Path' }).fill('/api/1/ws/no-such-endpoint');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expect(frames.first()).toContainText('Not opened: HTTP status 404.');
    await page.getByRole('combobox', { name: 'Path' }).fill('https://elsewhere.example/');
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await expect(frames.first()).toContainText('A path begins with one slash');
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect(frames).toHaveCount(0);
});

test('an endpoint is made, changed and deleted, and is live on the other instance', async ({ pair, page, openWindow, complaints }) => {
    // The answers to guests, to a name that is taken, and what becomes of a socket whose endpoint goes.
    complaints.allow(/status of (400|401|404|409)|WebSocket connection to/);
    await signIn(page, pair.left, '/admin/websocket-endpoints');
    await expect(page.getByText('None yet. Make the first one above.')).toBeVisible();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('hello-emoji');
    await page.getByRole('button', { name: 'Make endpoint' }).click();
    await expect(page.getByRole('alert')).toHaveText('An endpoint of this name is part of the application and cannot be changed.');

    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('reading-group');
    await page.getByLabel('For', { exact: true }).selectOption('public');
    await page.getByRole('spinbutton', { name: 'Messages' }).fill('5');
    await page.getByLabel('Guests may send only').check();
    await page.getByLabel('Types open to guests').fill('ping presence');
    await page.getByRole('button', { name: 'Make endpoint' }).click();
    await expect(page.getByText('The endpoint is live on every instance.')).toBeVisible();
    const entry = page.getByRole('list', { name: 'Made here' }).getByRole('listitem');
    await expect(entry).toContainText('For everybody; guests send only ping, presence. At most 5 messages of 65536 bytes in 1000 ms.');
    await expect(entry).toContainText('Last changed by admin');

    const guest = await openWindow();
    await visit(guest, pair.right.at('/'));
    const connect = () =>
        guest.evaluate(
            () =>
                new Promise<number>((told) => {
                    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/1/ws/reading-group`);
                    socket.onmessage = () => told(0);
                    socket.onclose = ({ code }) => {
                        document.documentElement.dataset.closed = String(code);
                        told(code);
                    };
                }),
        );
    await expect.poll(connect).toBe(0);

    await expectAlive(page);
    await page.getByRole('link', { name: 'Change reading-group' }).click();
    await expect(page.getByRole('heading', { name: 'Change reading-group' })).toBeVisible();
    await expect(page.getByRole('spinbutton', { name: 'Messages' })).toHaveValue('5');
    await expect(page.getByLabel('Types open to guests')).toHaveValue('ping presence');
    await page.getByRole('spinbutton', { name: 'Messages' }).fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(entry).toContainText('At most 7 messages');
    await expectAccessible(page);

    await expectAlive(page);
    await entry.getByText('Delete reading-group', { exact: true }).click();
    await entry.getByRole('button', { name: 'Delete reading-group for good' }).click();
    await expect(page.getByText('The endpoint is gone, on every instance.')).toBeVisible();
    await expect(entry).toHaveCount(0);
    await expect(guest.locator('html')).toHaveAttribute('data-closed', '4403');
    await expect.poll(connect).toBe(1006);
});

test('guests are sent to sign in by every page about endpoints, and administrators find them', async ({ site, page, complaints }) => {
    complaints.allow(/status of 401/);
    for (const path of ADMIN_PAGES) {
        const answer = await page.goto(site.at(path));
        expect(answer?.status(), path).toBe(401);
        await expect(page.getByRole('alert')).toHaveText('Please sign in first.');
    }
    await signIn(page, site, '/account');
    for (const [link, heading] of [
        ['WebSocket status', 'WebSocket status'],
        ['WebSocket endpoints', 'WebSocket endpoints'],
        ['WebSocket test console', 'WebSocket test console'],
    ]) {
        await visit(page, site.at('/account'));
        await page.getByRole('link', { name: link }).click();
        await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    }
});
