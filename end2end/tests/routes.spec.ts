import { PAGES, TODO_PAGE, expectAlive, expectBadge, visit } from '../kit/pages';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** Addresses the original site had, and others people type. */
const MOVED = [
    ['/hello-app-cluster', '/hello-app-cluster/'],
    ['/hello-app-cluster/index.shtml', '/hello-app-cluster/'],
    ['/hello-app-cluster/notifications.shtml', '/hello-app-cluster/notifications'],
    ['/hello-app-cluster/collaborative-todo.shtml', '/hello-app-cluster/collaborative-todo'],
    ['/hello-app-cluster/code-examples.shtml', '/hello-app-cluster/code-examples'],
    ['/hello-app-cluster/architecture.shtml', '/hello-app-cluster/architecture'],
    ['/hello-app-cluster/notifications/', '/hello-app-cluster/notifications'],
    ['/hello-app-cluster/collaborative-todo/', '/hello-app-cluster/collaborative-todo'],
    ['/hello-app-cluster/code-examples/', '/hello-app-cluster/code-examples'],
    ['/hello-app-cluster/architecture/', '/hello-app-cluster/architecture'],
    ['/hello-app-cluster/patterns', '/hello-app-cluster/patterns/'],
    ['/hello-app-cluster/patterns/shopping-cart/', '/hello-app-cluster/patterns/shopping-cart'],
    ['/hello-websocket', '/hello-websocket/'],
    ['/hello-websocket/index.shtml', '/hello-websocket/'],
    ['/hello-websocket/chat/', '/hello-websocket/chat'],
    ['/hello-spa', '/hello-spa/'],
    ['/hello-spa/todo/', '/hello-spa/todo'],
    ['/hello-spa/notifications/', '/hello-spa/notifications'],
    ['/hello-spa/about/', '/hello-spa/about'],
];

for (const path of PAGES) {
    test(`${path} comes to life without a complaint`, async ({ site, page }) => {
        const response = await page.goto(site.at(path));
        expect(response?.status()).toBe(200);
        await expectAlive(page);
        await expectBadge(page, 'Live, local');
        await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
        await expect(page).toHaveTitle(await page.getByRole('heading', { level: 1 }).innerText());
    });
}

test('the to-do list comes to life with tasks of every kind in it', async ({ site, page, complaints }) => {
    // Asked for on purpose.
    complaints.allow(/status of 400/);
    const names = [`<b>&amp; "quoted" 'single' ${uniqueName('markup')}`, `Grüße 🌱 ${uniqueName('letters')}`];
    for (const name of names) await site.addTodo(name);
    const { _id: id } = await site.addTodo(uniqueName('done'));
    await site.call('PUT', `/api/1/helloClusterTodo/${id}/toggle`);
    for (const query of ['', '?notice=added', '?problem=title-too-long', '?notice=%3Cb%3E', '?after=made-up']) {
        await visit(page, site.at(TODO_PAGE + query));
    }
    await visit(page, site.at('/hello-spa/todo'));
    for (const name of names) await expect(new TodoBoard(page).row(name)).toHaveCount(1);
});

test('a list longer than a page loads more of it, with WebAssembly and without', async ({ site, page }) => {
    const oldest = uniqueName('oldest');
    await site.addTodo(oldest);
    for (let number = 0; number < 45; number += 1) await site.addTodo(`Task ${number}`);
    const board = new TodoBoard(page);
    await visit(page, site.at(TODO_PAGE));
    const more = page.getByRole('link', { name: 'Load more' });
    // Other tests add to the list: the oldest of ours is at most a few pages down.
    await expect(async () => {
        if ((await board.row(oldest).count()) === 0) await more.click({ timeout: 2000 });
        await expect(board.row(oldest)).toHaveCount(1, { timeout: 500 });
    }).toPass();
    const titles = await board.titles();
    expect(titles.indexOf(oldest)).toBeGreaterThan(titles.indexOf('Task 0'));

    await visit(page, site.at(TODO_PAGE));
    const second = await more.getAttribute('href');
    await visit(page, site.at(TODO_PAGE + second));
    const shown = await board.titles();
    expect(shown).toHaveLength(20);
});

test('old addresses lead to where their pages are now, and keep the query', async ({ site, page }) => {
    for (const [from, to] of MOVED) {
        for (const query of ['', '?a=1&b=%C3%A4']) {
            const moved = await fetch(site.at(from + query), { redirect: 'manual' });
            expect([moved.status, moved.headers.get('location')]).toEqual([308, to + query]);
        }
    }
    await visit(page, site.at('/hello-app-cluster/collaborative-todo.shtml?notice=added'));
    await expect(page).toHaveURL(site.at(`${TODO_PAGE}?notice=added`));
    await expect(page.getByText('The task was added.')).toBeVisible();
});

test('an address without a page says so, with status 404, and comes to life', async ({ site, page, complaints }) => {
    // The browser's own words about the page.
    complaints.allow(/status of 404/);
    for (const path of ['/no-such-page', '/hello-app-cluster/no-such-page', '/hello-spa/no-such-page', '/pkg/none.js']) {
        const response = await page.goto(site.at(path));
        expect(response?.status(), path).toBe(404);
        await expect(page.getByRole('heading', { level: 1, name: 'Page not found' })).toBeVisible();
        await expectAlive(page);
    }
    await page.getByRole('link', { name: 'To the front page' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Every browser in step' })).toBeVisible();
});

test('the single page changes its view without loading a page', async ({ site, page }) => {
    await visit(page, site.at('/hello-spa/'));
    await expectBadge(page, 'Live, local');
    const uuid = await page.evaluate(() => {
        document.documentElement.dataset.marker = 'still here';
        return window.jPulse.appCluster.getUuid() as string;
    });
    const views = page.getByRole('navigation', { name: 'Single page' });
    const task = uniqueName('added-in-the-single-page');
    for (const [link, path, heading] of [
        ['To-do', '/hello-spa/todo', 'Collaborative to-do'],
        ['Notifications', '/hello-spa/notifications', 'Notifications'],
        ['About', '/hello-spa/about', 'About the single page'],
        ['Introduction', '/hello-spa/', 'Single page'],
    ]) {
        await views.getByRole('link', { name: link, exact: true }).click();
        await expect(page.getByRole('heading', { level: 1, name: heading, exact: true })).toBeVisible();
        await expect(page).toHaveURL(site.at(path));
        await expect(page).toHaveTitle(heading);
        await expect(views.getByRole('link', { name: link, exact: true })).toHaveAttribute('aria-current', 'page');
    }
    await page.goBack();
    await expect(page.getByRole('heading', { level: 1, name: 'About the single page' })).toBeVisible();

    await views.getByRole('link', { name: 'To-do' }).click();
    const board = new TodoBoard(page);
    await board.add(task);
    await expect(board.box(task)).toBeEnabled();
    // A view that is entered again is current.
    await views.getByRole('link', { name: 'About' }).click();
    const between = uniqueName('added-in-between');
    await site.addTodo(between);
    await views.getByRole('link', { name: 'To-do' }).click();
    await expect(board.row(between)).toHaveCount(1);
    await expect(board.row(task)).toHaveCount(1);
    await site.addTodo(`${between}, live`);
    await expect(board.row(`${between}, live`)).toHaveCount(1);

    await expect(page.locator('html')).toHaveAttribute('data-marker', 'still here');
    expect(await page.evaluate(() => window.jPulse.appCluster.getUuid() as string)).toBe(uuid);
});

test('links between the pages of the multi-page demo load them', async ({ site, page }) => {
    await visit(page, site.at('/hello-app-cluster/'));
    const main = page.getByRole('navigation', { name: 'Main' });
    for (const [link, heading] of [
        ['Notifications', 'Notifications'],
        ['To-do', 'Collaborative to-do'],
        ['WebSockets', 'WebSockets'],
        ['Code', 'Code examples'],
        ['Architecture', 'How it works'],
        ['Single page', 'Single page'],
        ['Overview', 'Application cluster'],
    ]) {
        await page.evaluate(() => (document.documentElement.dataset.marker = 'of the page before'));
        await main.getByRole('link', { name: link, exact: true }).click();
        await expect(page.locator('html')).not.toHaveAttribute('data-marker');
        await expectAlive(page);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        if (heading) await expect(main.getByRole('link', { name: link, exact: true })).toHaveAttribute('aria-current', 'page');
    }
});
