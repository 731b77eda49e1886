import { expectAccessible } from '../kit/accessible';
import { expectBadge, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { expect, test } from '../kit/test';

const DASHBOARD_PAGE = '/hello-app-cluster/dashboard';
/** In which time open pages show what was changed. */
const SHOWN_WITHIN = 1_000;

test('any instance shows all of them, live, and follows a message through them', async ({ pair, page }) => {
    await signIn(page, pair.left, '/admin/cluster');
    const instances = page.locator('details.instance');
    // New numbers come every ten seconds.
    await expect(instances).toHaveCount(2, { timeout: 25_000 });
    await instances.first().locator('summary').click();
    await expect(instances.first().getByText('Link to Redis')).toBeVisible();
    await expect(page.getByRole('region', { name: 'Table of requests' })).toContainText('/admin/cluster');
    await expectAccessible(page);

    await page.getByRole('button', { name: 'Publish and follow' }).click();
    const hops = page.getByRole('list', { name: 'Hops' });
    await expect(hops.getByText('in the log')).toHaveCount(1);
    await expect(hops.getByText('heard by')).toHaveCount(2);

    await pair.right.stop();
    await expect(instances).toHaveCount(1, { timeout: 15_000 });
    await expect(instances.first().getByText('Link to Redis'), 'what was unfolded stays so').toBeVisible();
});

test('title and banner change on open pages of every instance within a second', async ({ pair, page, openWindow }) => {
    const guest = await openWindow();
    await visit(guest, pair.right.at('/'));
    await expectBadge(guest, 'Live');
    const head = guest.getByRole('banner');
    await expect(head.getByRole('link', { name: 'jPulse' })).toBeVisible();

    await signIn(page, pair.left, '/admin/site');
    await expectAccessible(page);
    await page.getByLabel('Title').fill('Tea house');
    await page.getByLabel('Banner').fill('Closed on Monday');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Saved, for every open page.')).toBeVisible();
    await expect(head.getByRole('link', { name: 'Tea house' })).toBeVisible({ timeout: SHOWN_WITHIN });
    await expect(guest.getByRole('complementary', { name: 'From this site' })).toHaveText('Closed on Monday');
    await expectAccessible(guest);

    await guest.reload();
    await expect(head.getByRole('link', { name: 'Tea house' })).toBeVisible();
    await page.getByLabel('Banner').fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(guest.getByRole('complementary', { name: 'From this site' })).toBeHidden();
});

test('a feature that is switched is shown by an open page of another instance', async ({ pair, page, openWindow }) => {
    await signIn(page, pair.left, '/admin/features');
    const other = await openWindow();
    await signIn(other, pair.right, '/admin/features');
    await expectBadge(other, 'Live');
    await page.getByLabel('Name').fill('new_ui');
    await page.getByRole('button', { name: 'Switch on', exact: true }).click();
    await expect(other.getByText('new_ui is on')).toBeVisible({ timeout: SHOWN_WITHIN });
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Switch off new_ui' }).click();
    await expect(other.getByText('new_ui is off')).toBeVisible({ timeout: SHOWN_WITHIN });
});

test('the dashboard shows what is done on another instance', async ({ pair, page, request }) => {
    await visit(page, pair.right.at(DASHBOARD_PAGE));
    await expectBadge(page, 'Live');
    await request.post(pair.left.at('/api/1/helloClusterTodo'), { data: { text: 'Buy tea' } });
    await expect(page.getByRole('main')).toContainText('Buy tea');
    await expectAccessible(page);
});
