import type { BrowserContext } from '@playwright/test';

/** What browsers complain about in their consoles: a page that works has nothing to complain of. */
export class Complaints {
    readonly #heard: string[] = [];
    readonly #allowed: RegExp[] = [];
    #isOver = false;

    /** Listens to every window of this context, those that open later as well. */
    watch(context: BrowserContext): void {
        context.on('console', (message) => {
            if (this.#isOver) return;
            // Chromium's advice when a page is slow to start: says something of the machine, nothing of the page.
            if (/preloaded using link preload but not used within a few seconds/.test(message.text())) return;
            const isComplaint = ['error', 'warning', 'assert'].includes(message.type());
            if (isComplaint || /hydration/i.test(message.text())) {
                this.#heard.push(`${message.type()} at ${message.page()?.url()}: ${message.text()}`);
            }
        });
        context.on('weberror', (error) => {
            this.#heard.push(`uncaught at ${error.page()?.url()}: ${String(error.error())}`);
        });
    }

    /** A complaint that this test brings about on purpose. */
    allow(pattern: RegExp): void {
        this.#allowed.push(pattern);
    }

    /** The test is over: what is left of its windows may miss the servers that end now. */
    end(): void {
        this.#isOver = true;
    }

    /** What nobody asked for. */
    unexpected(): string[] {
        return this.#heard.filter((text) => !this.#allowed.some((pattern) => pattern.test(text)));
    }
}
