import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { ADMIN_PAGES, PAGES, expectBadge, visit } from '../kit/pages';
import { signIn } from '../kit/sign_in';
import { test } from '../kit/test';

/** Where the pictures go: `PICTURES=folder playwright test`. */
const FOLDER = process.env.PICTURES ?? '';

const LOOKS = [
    { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 800 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 800 } },
    { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

for (const path of [...PAGES, ...ADMIN_PAGES, '/no-such-page']) {
    test(`pictures of ${path}`, async ({ site, page, complaints }) => {
        complaints.allow(/./);
        mkdirSync(FOLDER, { recursive: true });
        const { _id: id } = await site.addTodo('Water the plants');
        await site.call('PUT', `/api/1/helloClusterTodo/${id}/toggle`);
        await site.addTodo('Ask whether Thursday suits everybody, and book the room with the large table if it does');
        if (ADMIN_PAGES.includes(path)) await signIn(page, site, path);
        else await visit(page, site.at(path));
        await expectBadge(page, 'Live, local');
        await page.evaluate(() => window.jPulse.UI.toast.show('Something worth knowing', 'info'));
        for (const { name, ...look } of LOOKS) {
            await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: 'reduce' });
            await page.setViewportSize(look.viewport);
            const file = `${path.replaceAll('/', ' ').trim().replaceAll(' ', '-') || 'home'}-${name}.png`;
            await page.screenshot({ path: join(FOLDER, file), fullPage: true });
        }
    });
}
