import { defineConfig } from '@playwright/test';

// First, so that the workers trust it.
import './kit/certificate';

// Instead of testing any page, `PICTURES=folder playwright test` takes pictures of every one,
// `LIGHTHOUSE=program playwright test` has every one judged by Lighthouse.
const testMatch = process.env.PICTURES ? 'pictures.ts' : process.env.LIGHTHOUSE ? 'lighthouse.ts' : '*.spec.ts';

export default defineConfig({
    testDir: 'tests',
    testMatch,
    outputDir: 'test-results',
    globalSetup: './kit/built.ts',
    fullyParallel: true,
    forbidOnly: Boolean(process.env.CI),
    // Each worker has a browser and an instance, some of them a Redis and a MongoDB too. What is timed is alone.
    workers: process.env.LIGHTHOUSE ? 1 : 2,
    // A test that passes at the second try is a broken test.
    retries: 0,
    timeout: 90_000,
    expect: { timeout: 20_000 },
    use: {
        launchOptions: {
            executablePath: process.env.JPULSE_TEST_CHROMIUM ?? '/usr/bin/chromium',
            args: [
                '--no-sandbox',
                '--disable-quic',
                '--disable-background-networking',
                '--disable-component-update',
                '--disable-sync',
                '--no-first-run',
            ],
        },
        // Proxies of the tests show a certificate that nobody has signed.
        ignoreHTTPSErrors: true,
        actionTimeout: 20_000,
        navigationTimeout: 30_000,
        screenshot: 'only-on-failure',
    },
});
