import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Page, expect } from '@playwright/test';

import { SITE } from './built';
import { removeFolder } from './folder';
import { test as base, uniqueName } from './test';

declare global {
    interface Window {
        /** What the page's functions were called with, in order. */
        calls: Array<[name: string, ...values: unknown[]]>;
    }
}

interface PerTest {
    /** Puts a page among the site's files, where a site owner would; its address. */
    put: (html: string) => string;
}

/** The tests' `test`, with plain pages of a test's own. */
export const test = base.extend<PerTest>({
    put: async ({}, use) => {
        const folder = uniqueName('plain');
        mkdirSync(join(SITE, folder));
        let count = 0;
        await use((html) => {
            count += 1;
            writeFileSync(join(SITE, folder, `${count}.html`), html);
            return `/${folder}/${count}.html`;
        });
        removeFolder(join(SITE, folder));
    },
});

/** The text of a page with nothing but the one tag, and whatever else stands in its head. */
export function plainPage(...elements: string[]): string {
    return [
        '<!DOCTYPE html>',
        // The icon: without a word on it, a browser asks for one that is not there, and complains.
        '<html lang="en"><head><meta charset="utf-8"><title>Plain</title><link rel="icon" href="/favicon.svg">',
        '<script src="/jpulse.js"></script>',
        ...elements,
        '</head><body><main><h1>Plain</h1></main></body></html>',
    ].join('\n');
}

/** A script inline. */
export function script(text: string, kind = ''): string {
    return `<script${kind && ` type="${kind}"`}>\n${text}\n</script>`;
}

/** A script that defines functions which note how they are called. */
export function spies(...names: string[]): string {
    const each = `window[name] = (...values) => { calls.push([name, ...values]); };`;
    return script(`window.calls = []; for (const name of ${JSON.stringify(names)}) { ${each} }`);
}

/** What a function of the page was called with so far. */
export function callsOf(page: Page, name: string): Promise<unknown[][]> {
    return page.evaluate(
        (name) => window.calls.filter(([called]) => called === name).map(([, ...values]) => values),
        name,
    );
}

/** Waits until a function of the page was called so. */
export async function expectCall(page: Page, name: string, ...values: unknown[]): Promise<void> {
    await expect.poll(() => callsOf(page, name)).toContainEqual(values);
}
