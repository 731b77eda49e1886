import { readdirSync } from 'node:fs';

import type { Page } from '@playwright/test';

import { expectBadge, toasts, visit } from '../kit/pages';
import { placeOf, sourceOf } from '../kit/source';
import { expect, test, uniqueName } from '../kit/test';

const PAGE = '/hello-app-cluster/code-examples';
const FOLDER = 'app/src/pages/code_examples';
const FILES = readdirSync(placeOf(FOLDER));
const nameOf = (file: string): string => file.replace(/\.(js|rs)$/, '');

/** What must come of some of them. Of the others: that they run to their end and nobody complains. */
const OUTCOMES: Record<string, (page: Page) => Promise<void>> = {
    'publish.js': (page) => expect(toasts(page).getByText('Ada: Hello, everybody')).toBeVisible(),
    'cluster_mode.js': (page) => expect(toasts(page).getByText('Local mode: changes stay on this instance')).toBeVisible(),
    'live_list.js': (page) => expect(page.locator('#tasks li').first()).toBeVisible(),
    'toast_and_dialogue.js': (page) => expect(toasts(page).getByText('Saved')).toBeVisible(),
};

test('every example for scripts runs as it is written', async ({ site, page, complaints }) => {
    // What a guest is answered who asks for configuration.
    complaints.allow(/status of 401/);
    await site.addTodo(uniqueName('to be listed'));
    await visit(page, site.at(PAGE));
    await expectBadge(page, 'Live, local');
    await page.evaluate(() => {
        const list = document.createElement('ul');
        list.id = 'tasks';
        document.body.append(list);
    });
    // Whoever subscribes hears what is published afterwards.
    const scripts = FILES.filter((file) => file.endsWith('.js')).sort();
    const inOrder = ['subscribe.js', ...scripts.filter((file) => file !== 'subscribe.js')];
    for (const file of inOrder) {
        const running = page.evaluate(`(async () => { ${sourceOf(`${FOLDER}/${file}`)}\n })()`);
        if (file === 'toast_and_dialogue.js') {
            await page.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
        }
        await running;
        await OUTCOMES[file]?.(page);
    }
});

test('each example is there in both languages and shown as it stands in its file', async ({ site, page }) => {
    const names = (ending: string) => FILES.filter((file) => file.endsWith(ending)).map(nameOf).sort();
    expect(names('.rs')).toEqual(names('.js'));
    await visit(page, site.at(PAGE));
    for (const name of names('.rs')) {
        const shown = page.locator(`section[aria-labelledby="${name}"] pre code`);
        expect(await shown.allTextContents()).toEqual([
            sourceOf(`${FOLDER}/${name}.rs`),
            sourceOf(`${FOLDER}/${name}.js`),
        ]);
    }
    await expect(page.locator('section.pair')).toHaveCount(names('.rs').length);
});

test('an example is copied as it stands in its file', async ({ site, page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await visit(page, site.at(PAGE));
    await page.getByRole('button', { name: 'Copy: Subscribe (JavaScript)' }).click();
    await expect(toasts(page).getByText('Copied: Subscribe')).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(sourceOf(`${FOLDER}/subscribe.js`));
});
