import type { Page } from '@playwright/test';

import type { Instance } from './instance';
import { expectAlive, visit } from './pages';
import { ADMIN_PASSWORD } from './test';

/** Signs in, as the user `admin` unless told otherwise, and goes on to a page, which is alive then. */
export async function signIn(page: Page, instance: Pick<Instance, 'at'>, next: string, name = 'admin'): Promise<void> {
    await visit(page, instance.at(`/login?next=${next}`));
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByLabel('Password').fill(ADMIN_PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(instance.at(next));
    await expectAlive(page);
}
