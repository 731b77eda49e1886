import type { BrowserContext, Page } from '@playwright/test';

declare global {
    interface Window {
        /** What the page's content security policy forbade. */
        violations?: string[];
        /** Set by script that a visitor typed, if any page ever runs it. */
        hacked?: unknown;
    }
}

/** Has every page of this context note what its content security policy forbids, from its first byte on. */
export async function watchPolicy(context: BrowserContext): Promise<void> {
    await context.addInitScript(() => {
        const violations: string[] = [];
        window.violations = violations;
        document.addEventListener('securitypolicyviolation', (event) => {
            violations.push(`${event.effectiveDirective} forbids ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`);
        });
    });
}

/** What the policy of the present page has forbidden so far. */
export function violations(page: Page): Promise<string[] | undefined> {
    return page.evaluate(() => window.violations);
}
