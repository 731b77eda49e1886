import AxeBuilder from '@axe-core/playwright';
import { type Page, expect } from '@playwright/test';

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1280, height: 800 };

/**
 * Fails when axe finds something, or the page scrolls sideways: in light and dark, on a desk and on a phone.
 * What is left out, by its selector, was judged elsewhere.
 */
export async function expectAccessible(page: Page, without?: string): Promise<void> {
    for (const [colorScheme, viewport] of [
        ['light', DESK],
        ['dark', DESK],
        ['light', PHONE],
        ['dark', PHONE],
    ] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize(viewport);
        await atRest(page);
        const axe = new AxeBuilder({ page });
        const { violations } = await (without ? axe.exclude(without) : axe).analyze();
        const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
        expect(found, `${colorScheme} at ${viewport.width}`).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width, 'no scrolling sideways').toBeLessThanOrEqual(viewport.width);
    }
}

/**
 * Waits until nothing that is shown moves or fades: half-way through, every colour is another one. What is folded
 * away stands still, and never ends.
 */
async function atRest(page: Page): Promise<void> {
    await expect
        .poll(() =>
            page.evaluate(async () => {
                await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                const isShown = ({ effect }: Animation) => (effect as KeyframeEffect | null)?.target?.checkVisibility();
                return document.getAnimations().filter(isShown).length;
            }),
        )
        .toBe(0);
}
