import { randomBytes } from 'node:crypto';

import { type BrowserContextOptions, type Page, test as base, expect } from '@playwright/test';

import { addUser } from './accounts';
import { Complaints } from './complaints';
import { Instance } from './instance';
import { Mongod } from './mongod';
import { Redis } from './redis';

/** Of the user `admin` on each instance of a pair. */
export const ADMIN_PASSWORD = 'open sesame, said the test';

/** Two instances behind one Redis and one MongoDB. */
export interface Pair {
    left: Instance;
    right: Instance;
    /** Makes an account with the password of the user `admin`. */
    addUser: (name: string) => Promise<void>;
}

interface PerTest {
    complaints: Complaints;
    /** Two instances of this test's own. */
    pair: Pair;
    /** Opens a window of a browser of its own. */
    openWindow: (options?: BrowserContextOptions) => Promise<Page>;
}

interface PerWorker {
    /** An instance with everything embedded, shared by tests: each uses titles and channels of its own. */
    site: Instance;
    redis: Redis;
    mongod: Mongod;
}

/** Playwright's `test`, with servers, and with an end to every test: no browser has complained. */
export const test = base.extend<PerTest, PerWorker>({
    complaints: [
        async ({}, use) => {
            const complaints = new Complaints();
            await use(complaints);
            expect(complaints.unexpected(), 'complaints in the browser console').toEqual([]);
        },
        { auto: true },
    ],
    context: async ({ context, complaints }, use) => {
        complaints.watch(context);
        await use(context);
    },
    openWindow: async ({ browser, complaints }, use) => {
        const contexts: Array<{ close(): Promise<void> }> = [];
        await use(async (options) => {
            const context = await browser.newContext(options);
            contexts.push(context);
            complaints.watch(context);
            return context.newPage();
        });
        await Promise.all(contexts.map((context) => context.close()));
    },
    pair: async ({ redis, mongod, complaints }, use) => {
        const name = uniqueName('pair');
        const environment = {
            JPULSE_SITE_ID: name,
            REDIS_HOST: '127.0.0.1',
            REDIS_PORT: String(redis.port),
            MONGODB_URI: mongod.uri(name),
            SESSION_SECRET: 'the same for both, and long enough',
            JPULSE_ADMIN_PASSWORD: ADMIN_PASSWORD,
        };
        const start = (number: string) => Instance.start({ ...environment, JPULSE_INSTANCE: number });
        const [left, right] = await Promise.all([start('1'), start('2')]);
        const isUp = async (instance: Instance) => (await fetch(instance.at('/health'))).status;
        await expect.poll(() => Promise.all([left, right].map(isUp))).toEqual([200, 200]);
        await use({ left, right, addUser: (name) => addUser(name, ADMIN_PASSWORD, environment) });
        complaints.end();
        await Promise.all([left.stop(), right.stop()]);
        expectNoPanic(left, right);
    },
    site: [
        async ({}, use) => {
            const instance = await Instance.start({ JPULSE_ADMIN_PASSWORD: ADMIN_PASSWORD });
            await use(instance);
            await instance.stop();
            expectNoPanic(instance);
        },
        { scope: 'worker' },
    ],
    redis: [
        async ({}, use) => {
            const redis = await Redis.start();
            await use(redis);
            await redis.end();
        },
        { scope: 'worker' },
    ],
    mongod: [
        async ({}, use) => {
            const mongod = await Mongod.start();
            await use(mongod);
            await mongod.end();
        },
        { scope: 'worker' },
    ],
});

export { expect };

/** A name that no other test has. */
export function uniqueName(what: string): string {
    return `${what}-${randomBytes(5).toString('hex')}`;
}

function expectNoPanic(...instances: Instance[]): void {
    for (const { program } of instances) expect(program.output).not.toContain('panicked');
}
