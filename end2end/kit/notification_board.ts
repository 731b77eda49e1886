import type { Locator, Page } from '@playwright/test';

/** The notifications as their visitors see them. */
export class NotificationBoard {
    readonly messages: Locator;

    constructor(readonly page: Page) {
        this.messages = page.getByRole('list', { name: 'Messages' }).getByRole('listitem');
    }

    async send(name: string, message: string): Promise<void> {
        await this.page.getByRole('textbox', { name: 'Your name' }).fill(name);
        await this.page.getByRole('textbox', { name: 'Message', exact: true }).fill(message);
        await this.page.getByRole('button', { name: 'Send', exact: true }).click();
    }

    message(text: string): Locator {
        return this.messages.filter({ hasText: text });
    }
}
