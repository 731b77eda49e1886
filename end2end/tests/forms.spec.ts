import type { Page, Response } from '@playwright/test';

import { NotificationBoard } from '../kit/notification_board';
import { NOTIFICATIONS_PAGE, TODO_PAGE, toasts, visit } from '../kit/pages';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** Browsers in which no page comes to life. */
const PLAIN_BROWSERS = ['with WebAssembly blocked', 'with JavaScript disabled'] as const;

for (const how of PLAIN_BROWSERS) {
    const isScripted = how === 'with WebAssembly blocked';

    test.describe(how, () => {
        test.use({ javaScriptEnabled: isScripted });
        test.beforeEach(async ({ page, complaints }) => {
            if (!isScripted) return;
            // The browser's own words about what is blocked.
            complaints.allow(/Failed to load resource: net::ERR_FAILED|Failed to fetch/);
            await page.route('**/*.wasm', (route) => route.abort());
        });

        for (const path of [TODO_PAGE, '/hello-spa/todo']) {
            test(`a task is added, ticked off and deleted at ${path}`, async ({ site, page }) => {
                const board = new TodoBoard(page);
                const title = uniqueName('plain & simple');
                await page.goto(site.at(path));
                await board.add(title);
                await expect(page.getByText('The task was added.')).toBeVisible();
                await expect(board.row(title)).toHaveCount(1);
                await expect(board.box(title)).not.toBeChecked();
                expect(new URL(page.url()).pathname).toBe(path);

                await board.toggle(title);
                await expect(page.getByText('The task was changed.')).toBeVisible();
                await expect(board.box(title)).toBeChecked();

                await board.remove(title);
                await expect(page.getByText('The task was deleted.')).toBeVisible();
                await expect(board.row(title)).toHaveCount(0);
                expect(new URL(page.url()).pathname).toBe(path);
            });
        }

        test('a title of 201 characters is refused with a sentence and status 400', async ({ site, page, complaints }) => {
            complaints.allow(/status of 400/);
            const board = new TodoBoard(page);
            await page.goto(site.at(TODO_PAGE));
            await lift(page, 'New task', 'maxlength');
            const answered = nextPage(page);
            await board.add('x'.repeat(201));
            expect((await answered).status()).toBe(400);
            await expect(page.getByRole('alert')).toHaveText('A title has at most 200 characters.');
            await expect(board.row('x'.repeat(201))).toHaveCount(0);
        });

        test('a task that is gone is answered with a sentence and status 404', async ({ site, page, complaints }) => {
            complaints.allow(/status of 404/);
            const board = new TodoBoard(page);
            const title = uniqueName('soon-gone');
            const { _id: id } = await site.addTodo(title);
            await page.goto(site.at(TODO_PAGE));
            await site.call('DELETE', `/api/1/helloClusterTodo/${id}`);
            const answered = nextPage(page);
            await board.toggle(title);
            expect((await answered).status()).toBe(404);
            await expect(page.getByRole('alert')).toContainText('This task no longer exists.');
        });

        test('a notification is sent, and arrives where pages are alive', async ({ site, page, openWindow }) => {
            const alive = await openWindow({ javaScriptEnabled: true });
            const board = new NotificationBoard(alive);
            await visit(alive, site.at(NOTIFICATIONS_PAGE));
            await expect(async () => {
                await site.publish('view:helloNotification:message:sent', { message: 'Probe', senderName: 'Probe' });
                await expect(board.message('Probe').first()).toBeVisible({ timeout: 1000 });
            }).toPass();

            const message = uniqueName('hello');
            await page.goto(site.at(NOTIFICATIONS_PAGE));
            await new NotificationBoard(page).send('Ada', message);
            await expect(page.getByText('Your message is on its way to every open browser.')).toBeVisible();
            await expect(toasts(alive).getByText(`Ada: ${message}`)).toBeVisible();
        });

        test('a notification that is too long is refused with a sentence and status 400', async ({ site, page, complaints }) => {
            complaints.allow(/status of 400/);
            await page.goto(site.at(NOTIFICATIONS_PAGE));
            await lift(page, 'Message', 'maxlength');
            const answered = nextPage(page);
            await new NotificationBoard(page).send('', 'x'.repeat(201));
            expect((await answered).status()).toBe(400);
            await expect(page.getByRole('alert')).toHaveText('A message is one line of 1 to 200 characters.');
        });
    });
}

test('a living page refuses a title of 201 characters with a toast and asks nobody', async ({ site, page }) => {
    const board = new TodoBoard(page);
    await visit(page, site.at(TODO_PAGE));
    await lift(page, 'New task', 'maxlength');
    await board.add('x'.repeat(201));
    await expect(toasts(page).getByText('A title has at most 200 characters.')).toBeVisible();
    await expect(board.title).toHaveValue('x'.repeat(201));
});

/** The page that answers a form, behind the redirect that leads there. */
function nextPage(page: Page): Promise<Response> {
    return page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() !== 303);
}

/** Takes away what keeps a visitor from sending nonsense, as somebody who means to does. */
async function lift(page: Page, field: string, attribute: string): Promise<void> {
    const box = page.getByRole('textbox', { name: field, exact: true });
    await box.evaluate((element, attribute) => element.removeAttribute(attribute), attribute);
}
