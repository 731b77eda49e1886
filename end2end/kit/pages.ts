import { type Locator, type Page, expect } from '@playwright/test';

/** Every page, by its address. */
export const PAGES = [
    '/',
    '/hello-app-cluster/',
    '/hello-app-cluster/notifications',
    '/hello-app-cluster/collaborative-todo',
    '/hello-app-cluster/patterns/collaborative-editing',
    '/hello-app-cluster/dashboard',
    '/hello-app-cluster/code-examples',
    '/hello-app-cluster/architecture',
    '/hello-app-cluster/patterns/',
    '/hello-app-cluster/patterns/global-notifications',
    '/hello-app-cluster/patterns/real-time-dashboard',
    '/hello-app-cluster/patterns/shopping-cart',
    '/hello-app-cluster/patterns/configuration-cache',
    '/hello-websocket/',
    '/hello-websocket/emoji',
    '/hello-websocket/todo',
    '/hello-websocket/rooms',
    '/hello-websocket/request',
    '/hello-websocket/chat',
    '/hello-spa/',
    '/hello-spa/todo',
    '/hello-spa/notifications',
    '/hello-spa/about',
    '/first-page',
    '/login',
];

/** The pages of administrators. */
export const ADMIN_PAGES = [
    '/admin/cluster',
    '/admin/features',
    '/admin/site',
    '/admin/notifications',
    '/admin/websocket-status',
    '/admin/websocket-endpoints',
    '/admin/websocket-console',
];

export const TODO_PAGE = '/hello-app-cluster/collaborative-todo';
export const CART_PAGE = '/hello-app-cluster/patterns/shopping-cart';
export const NOTIFICATIONS_PAGE = '/hello-app-cluster/notifications';

/** Loads a page and waits until WebAssembly has brought it to life. */
export async function visit(page: Page, url: string): Promise<void> {
    await page.goto(url);
    await expectAlive(page);
}

/** Waits until WebAssembly has brought the page to life. */
export async function expectAlive(page: Page): Promise<void> {
    await expect(page.locator('html[data-hydrated]')).toBeAttached({ timeout: 30_000 });
}

/** Waits until the badge in the page's head says this. */
export async function expectBadge(page: Page, text: string): Promise<void> {
    await expect(page.getByRole('banner').getByText(text, { exact: true })).toBeVisible();
}

/** Waits until the page's connection to its WebSocket endpoint stands. */
export async function expectConnected(...pages: Page[]): Promise<void> {
    for (const page of pages) await expect(page.getByRole('main').getByText('Connected', { exact: true })).toBeVisible();
}

/** The region where toasts appear. */
export function toasts(page: Page): Locator {
    return page.getByRole('status', { name: 'Messages' });
}
