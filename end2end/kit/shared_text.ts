import { type Locator, type Page, expect } from '@playwright/test';

import type { Instance } from './instance';

export const TEXT_PAGE = '/hello-app-cluster/patterns/collaborative-editing';

/** The text that everybody edits, as one of its visitors sees it. */
export class SharedText {
    readonly field: Locator;

    constructor(readonly page: Page) {
        this.field = page.getByRole('textbox', { name: 'Write together' });
    }

    /** What is in the field. */
    text(): Promise<string> {
        return this.field.inputValue();
    }

    /** Puts the cursor, or a selection, there; in UTF-16 units. */
    async goTo(start: number, end = start): Promise<void> {
        await this.field.focus();
        await this.field.evaluate((field: HTMLTextAreaElement, [from, to]) => field.setSelectionRange(from, to), [
            start,
            end,
        ] as const);
    }

    /** Where the cursor, or a selection, is. */
    selection(): Promise<[number, number]> {
        return this.field.evaluate((field: HTMLTextAreaElement) => [field.selectionStart, field.selectionEnd]);
    }

    /** Writes at the end, key by key. */
    async append(text: string): Promise<void> {
        await this.goTo((await this.text()).length);
        await this.page.keyboard.type(text);
    }

    /** A small change somewhere, as a visitor makes it: a word, a few deletions, a selection replaced. */
    async changeSomewhere(dice: () => number, word: string): Promise<void> {
        const length = (await this.text()).length;
        const start = Math.floor(dice() * (length + 1));
        const kind = dice();
        await this.goTo(start, kind < 0.2 ? Math.min(length, start + 3) : start);
        if (kind < 0.75) await this.page.keyboard.insertText(word);
        else await this.page.keyboard.press(kind < 0.9 ? 'Backspace' : 'Delete');
    }

    /** Waits until everything is saved. */
    async expectSaved(): Promise<void> {
        await expect(this.page.getByText('All changes saved', { exact: true })).toBeVisible();
    }
}

/** The text as an instance answers it. */
export async function storedText(instance: Instance): Promise<{ version: number; text: string }> {
    const { data } = await instance.call<{ data: { version: number; text: string } }>('GET', '/api/1/hello-text');
    return data;
}

/** Inserts at the beginning, from outside of any browser. */
export async function insertInFront(instance: Instance, text: string): Promise<void> {
    const { version, text: before } = await storedText(instance);
    const length = [...before].length;
    const edit = length === 0 ? [text] : [text, length];
    await instance.call('POST', '/api/1/hello-text/edits', { base: version, id: crypto.randomUUID(), edit });
}
