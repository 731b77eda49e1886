import { expectAccessible } from '../kit/accessible';
import { expectBadge, toasts, visit } from '../kit/pages';
import { ADMIN_PASSWORD, expect, test } from '../kit/test';

test('who signs in on one instance is signed in on the other, until signing out', async ({ pair, page, complaints }) => {
    complaints.allow(/status of 401/);
    await visit(page, pair.left.at('/login?next=/hello-app-cluster/'));
    await page.getByLabel('Name', { exact: true }).fill('admin');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('alert')).toHaveText('The name or the password is wrong.');

    await page.getByLabel('Name', { exact: true }).fill('admin');
    await page.getByLabel('Password').fill(ADMIN_PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(pair.left.at('/hello-app-cluster/'));
    await expect(page.getByRole('link', { name: 'Signed in as admin' })).toBeVisible();

    // Cookies belong to a host, whatever its port.
    await visit(page, pair.right.at('/account'));
    await expect(page.getByRole('heading', { name: 'admin', exact: true })).toBeVisible();
    await expect(page.getByText('(this one)')).toBeVisible();
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(page.getByRole('banner').getByRole('link', { name: 'Sign in' })).toBeVisible();
    await visit(page, pair.left.at('/account'));
    await expect(page.getByText('Nobody is signed in here.')).toBeVisible();
});

test('an administrator tells everybody, and what is critical waits to be read', async ({ pair, page, openWindow }) => {
    const guest = await openWindow();
    await visit(guest, pair.right.at('/'));
    await expectBadge(guest, 'Live');
    await visit(page, pair.left.at('/login?next=/admin/notifications'));
    await page.getByLabel('Name', { exact: true }).fill('admin');
    await page.getByLabel('Password').fill(ADMIN_PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('heading', { name: 'Tell everybody' })).toBeVisible();
    await expectAccessible(page);

    await page.getByRole('textbox', { name: 'Message' }).fill('The site rests from noon to one.');
    await page.getByLabel('Level').selectOption('warning');
    await page.getByLabel('Critical').check();
    await page.getByRole('button', { name: 'Tell everybody' }).click();
    const notice = guest.getByRole('dialog', { name: 'Important notice' });
    await expect(notice.getByText('The site rests from noon to one.')).toBeVisible();
    await notice.getByRole('button', { name: 'OK' }).click();
    await expect(notice).toBeHidden();
    await expect(toasts(guest)).toContainText('The site rests from noon to one.');
    await expect(page.getByRole('list', { name: 'Told before' })).toContainText('Warning, critical, admin');
});

test('a guest is sent to sign in by the pages of administrators', async ({ pair, page, complaints }) => {
    complaints.allow(/status of 401/);
    const answer = await page.goto(pair.left.at('/admin/notifications'));
    expect(answer?.status()).toBe(401);
    await expect(page.getByRole('alert')).toHaveText('Please sign in first.');
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
    await page.waitForURL(pair.left.at('/login?next=/admin/notifications'));
});
