import type { Locator, Page } from '@playwright/test';

/** The to-do list as its visitors see it. */
export class TodoBoard {
    readonly rows: Locator;
    readonly title: Locator;

    constructor(readonly page: Page) {
        this.rows = page.getByRole('list', { name: 'Tasks' }).getByRole('listitem');
        this.title = page.getByRole('textbox', { name: 'New task' });
    }

    /** The rows of this title: one, if all is well. */
    row(title: string): Locator {
        return this.rows.filter({ has: this.box(title) });
    }

    box(title: string): Locator {
        return this.page.getByRole('checkbox', { name: title, exact: true });
    }

    async add(title: string): Promise<void> {
        await this.title.fill(title);
        await this.page.getByRole('button', { name: 'Add', exact: true }).click();
    }

    async toggle(title: string): Promise<void> {
        await this.box(title).click();
    }

    async remove(title: string): Promise<void> {
        await this.page.getByRole('button', { name: `Delete ${title}`, exact: true }).click();
    }

    /** What the rows are about, from top to bottom. */
    titles(): Promise<string[]> {
        return this.rows
            .getByRole('checkbox')
            .evaluateAll((boxes) => boxes.map((box) => box.getAttribute('aria-label') ?? ''));
    }
}
