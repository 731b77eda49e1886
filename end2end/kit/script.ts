import { type Page, expect } from '@playwright/test';

/** What a callback of `subscribe` was called with. */
export interface Heard {
    data: Record<string, unknown>;
    meta: {
        channel: string;
        id: string;
        offset: number | null;
        timestamp: string;
        recovered: boolean;
        unordered: boolean;
    };
}

declare global {
    interface Window {
        // eslint-disable-next-line @typescript-eslint/no-explicit-any -- as plain scripts see it
        jPulse: any;
        heard: Record<string, Heard[]>;
    }
}

/** Subscribes in the page as a plain script does; what arrives is kept under `name`. */
export async function subscribe(page: Page, name: string, channel: string, options?: object): Promise<void> {
    await page.evaluate(
        ([name, channel, options]) => {
            const kept: Heard[] = [];
            window.heard = { ...window.heard, [name]: kept };
            window.jPulse.appCluster.broadcast.subscribe(
                channel,
                (data: Heard['data'], meta: Heard['meta']) => kept.push({ data, meta }),
                options,
            );
        },
        [name, channel, options] as const,
    );
}

/** What has arrived under `name`, but for probes. */
export function heard(page: Page, name: string): Promise<Heard[]> {
    return page.evaluate((name) => (window.heard?.[name] ?? []).filter(({ data }) => !data.probe), name);
}

/** One field of everything that has arrived under `name`. */
export async function heardFields(page: Page, name: string, field: string): Promise<unknown[]> {
    return (await heard(page, name)).map(({ data }) => data[field]);
}

/** Waits until exactly this has arrived under `name`, in this order. */
export async function expectHeard(page: Page, name: string, field: string, values: unknown[]): Promise<void> {
    await expect.poll(() => heardFields(page, name, field), { timeout: 30_000 }).toEqual(values);
}

/** Publishes as a plain script does. */
export function publish(page: Page, channel: string, data: object, options?: object): Promise<Record<string, unknown>> {
    return page.evaluate(
        ([channel, data, options]) => window.jPulse.appCluster.broadcast.publish(channel, data, options),
        [channel, data, options] as const,
    );
}

/** Subscribes, and resolves when the subscription stands. */
export async function subscribeSurely(page: Page, name: string, channel: string): Promise<void> {
    await subscribe(page, name, channel);
    await expectStanding(page, name, () => publish(page, channel, { probe: true }));
}

/** Resolves when the subscription stands: a probe, which `heard` passes over, has come through it. */
export async function expectStanding(page: Page, name: string, publishProbe: () => Promise<unknown>): Promise<void> {
    await expect(async () => {
        await publishProbe();
        expect(await page.evaluate((name) => window.heard[name].length, name)).toBeGreaterThan(0);
    }).toPass();
}
