import { NotificationBoard } from '../kit/notification_board';
import { NOTIFICATIONS_PAGE, PAGES, TODO_PAGE, expectAlive, toasts, visit } from '../kit/pages';
import { violations, watchPolicy } from '../kit/policy';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

test.beforeEach(({ context }) => watchPolicy(context));

/** What would run, were it not taken for text. */
const SCRIPTS = [
    '<img src=x onerror="window.hacked = 1">',
    '<script>window.hacked = 1</script>',
    '</script><svg onload="window.hacked = 1">',
    '"><svg onload="window.hacked = 1">',
];

for (const path of [...PAGES, '/no-such-page', '/hello-spa/no-such-page']) {
    test(`nothing on ${path} is against the page's own policy`, async ({ site, page, complaints }) => {
        complaints.allow(/status of 404/);
        const response = await page.goto(site.at(path));
        const policy = response?.headers()['content-security-policy'] ?? '';
        expect(policy).toMatch(/script-src 'self' 'nonce-[^']{22,}'/);
        expect(policy).not.toContain('unsafe-inline');
        await expectAlive(page);
        expect(await violations(page)).toEqual([]);
    });
}

test('nothing that pages do once they are alive is against their policy', async ({ site, page }) => {
    const board = new TodoBoard(page);
    const title = uniqueName('policy');
    await visit(page, site.at(TODO_PAGE));
    await board.add(title);
    await expect(board.box(title)).toBeEnabled();
    await board.toggle(title);
    await expect(board.box(title)).toBeChecked();
    await site.addTodo(`${title}, live`);
    await expect(board.row(`${title}, live`)).toHaveCount(1);
    await board.remove(title);
    await expect(board.row(title)).toHaveCount(0);
    expect(await violations(page)).toEqual([]);

    await visit(page, site.at('/hello-spa/'));
    const views = page.getByRole('navigation', { name: 'Single page' });
    for (const [link, heading] of [
        ['To-do', 'Collaborative to-do'],
        ['Notifications', 'Notifications'],
        ['About', 'About the single page'],
    ]) {
        await views.getByRole('link', { name: link, exact: true }).click();
        await expect(page.getByRole('heading', { level: 1, name: heading, exact: true })).toBeVisible();
    }
    await page.evaluate(() => window.jPulse.UI.toast.show('A toast', 'info'));
    await expect(toasts(page).getByText('A toast')).toBeVisible();
    expect(await violations(page)).toEqual([]);
});

test('script without the nonce does not run, wherever it comes from', async ({ site, page, complaints }) => {
    // The browser's own words about what is forbidden.
    complaints.allow(/Content Security Policy|status of 404/);
    await visit(page, site.at(TODO_PAGE));
    await page.evaluate(() => {
        const script = document.createElement('script');
        script.textContent = 'window.hacked = "inline"';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src="/none.svg" onerror="window.hacked = \'handler\'">');
        document.body.insertAdjacentHTML('beforeend', '<p style="color: red" id="styled">styled</p>');
        document.body.insertAdjacentHTML('beforeend', '<object data="/favicon.svg"></object>');
        document.body.insertAdjacentHTML('beforeend', '<base href="https://evil.example/">');
    });
    await expect.poll(async () => (await violations(page))?.length).toBeGreaterThanOrEqual(4);
    expect(await page.evaluate(() => window.hacked)).toBeUndefined();
    const forbidden = (await violations(page))?.join('\n') ?? '';
    for (const directive of ['script-src-elem', 'script-src-attr', 'style-src-attr', 'base-uri']) {
        expect(forbidden).toContain(directive);
    }
});

test('script that visitors type is text for everybody else', async ({ site, page, openWindow, complaints }) => {
    // The last address is none that the list has given out.
    complaints.allow(/status of 400/);
    const other = await openWindow();
    await watchPolicy(other.context());
    await visit(other, site.at(TODO_PAGE));
    await visit(page, site.at(TODO_PAGE));
    const board = new TodoBoard(page);
    for (const script of SCRIPTS) {
        const title = `${script} ${uniqueName('typed')}`;
        await board.add(title);
        await expect(new TodoBoard(other).row(title), 'live').toHaveCount(1);
        await page.reload();
        await expectAlive(page);
        await expect(board.row(title), 'rendered by the server').toHaveCount(1);
    }
    await visit(other, site.at(NOTIFICATIONS_PAGE));
    await visit(page, site.at(NOTIFICATIONS_PAGE));
    for (const script of SCRIPTS) {
        const message = `${script} ${uniqueName('said')}`;
        await expect(async () => {
            await new NotificationBoard(page).send(script.slice(0, 40), message);
            await expect(new NotificationBoard(other).message(message).first()).toBeVisible({ timeout: 2000 });
        }).toPass();
    }
    await page.goto(site.at(`/hello-spa/todo?notice=${encodeURIComponent(SCRIPTS[0])}&after=${encodeURIComponent(SCRIPTS[1])}`));
    for (const window of [page, other]) {
        expect(await window.evaluate(() => window.hacked)).toBeUndefined();
        expect(await violations(window)).toEqual([]);
    }
});
