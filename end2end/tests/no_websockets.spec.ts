import type { Page } from '@playwright/test';

import { Front } from '../kit/front';
import { TODO_PAGE, expectBadge, visit } from '../kit/pages';
import { expectHeard, heard, publish, subscribe, subscribeSurely } from '../kit/script';
import { expect, test, uniqueName } from '../kit/test';
import { TodoBoard } from '../kit/todo_board';

/** As a network does that knows no WebSockets: each is closed before it is open. */
async function blockSockets(page: Page): Promise<void> {
    await page.routeWebSocket('**/*', (socket) => socket.close());
}

/** How many event streams the page has asked for. */
function countStreams(page: Page): () => number {
    let count = 0;
    page.on('request', (request) => {
        if (request.url().includes('/api/1/app-cluster/events?')) count += 1;
    });
    return () => count;
}

test('two tabs without WebSockets stay in sync across instances', async ({ pair, openWindow }) => {
    const [left, right] = [new TodoBoard(await openWindow()), new TodoBoard(await openWindow())];
    await Promise.all([blockSockets(left.page), blockSockets(right.page)]);
    const streams = countStreams(left.page);
    await Promise.all([visit(left.page, pair.left.at(TODO_PAGE)), visit(right.page, pair.right.at(TODO_PAGE))]);
    await Promise.all([expectBadge(left.page, 'Live'), expectBadge(right.page, 'Live')]);
    expect(streams()).toBeGreaterThan(0);

    await left.add('Water the plants');
    await expect(right.row('Water the plants')).toHaveCount(1);
    await right.toggle('Water the plants');
    await expect(left.box('Water the plants')).toBeChecked();
    await right.remove('Water the plants');
    await expect(left.row('Water the plants')).toHaveCount(0);
});

test('scripts subscribe and publish without WebSockets, in order and once', async ({ site, context }) => {
    const [sender, hearer] = [await context.newPage(), await context.newPage()];
    const channel = `view:end2end:${uniqueName('stream')}:said`;
    for (const page of [sender, hearer]) {
        await blockSockets(page);
        await visit(page, site.at('/hello-app-cluster/'));
        await expectBadge(page, 'Live, local');
    }
    await subscribeSurely(hearer, 'all', channel);
    await subscribe(hearer, 'others', channel, { omitSelf: true });

    const receipts = await sender.evaluate(async (channel) => {
        const { publish } = window.jPulse.appCluster.broadcast;
        return Promise.all(Array.from({ length: 20 }, (_, n) => publish(channel, { n })));
    }, channel);
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await expectHeard(hearer, 'all', 'n', numbers);
    expect((await heard(hearer, 'all')).map(({ meta }) => meta.id)).toEqual(receipts.map(({ id }: { id: string }) => id));

    // Its own message comes to those who want it, and what it hears besides goes on.
    await publish(hearer, channel, { n: 'own' });
    await publish(sender, channel, { n: 'last' });
    await expectHeard(hearer, 'all', 'n', [...numbers, 'own', 'last']);
    await expect.poll(async () => (await heard(hearer, 'others')).at(-1)?.data.n).toBe('last');
    expect((await heard(hearer, 'others')).map(({ data }) => data.n)).not.toContain('own');

    const refused = await publish(hearer, channel, { text: 'x'.repeat(70_000) }).catch((error: Error) => error.message);
    expect(refused).toContain('too large');
});

test('a script that subscribes while messages come misses none and hears none twice', async ({ site, page }) => {
    await blockSockets(page);
    await visit(page, site.at('/hello-app-cluster/'));
    const channel = `view:end2end:${uniqueName('stream')}:said`;
    await subscribeSurely(page, 'numbers', channel);
    for (let number = 0; number < 60; number += 1) {
        await site.publish(channel, { number });
        // Each changes the set of channels, and with it the stream.
        if (number % 5 === 0) await subscribe(page, `more ${number}`, `${channel}:more${number}`);
    }
    await expectHeard(page, 'numbers', 'number', Array.from({ length: 60 }, (_, number) => number));
});

test('without WebSockets a page resumes on the other instance with exactly what it missed', async ({ pair, page, complaints }) => {
    complaints.allow(/Failed to load resource|net::ERR_/);
    const front = await Front.start(pair.left.port);
    await blockSockets(page);
    await visit(page, front.at('/'));
    const channel = 'view:end2end:number:said';
    await subscribeSurely(page, 'numbers', channel);
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    for (const number of numbers) {
        await pair.right.publish(channel, { number });
        if (number === 10) {
            await pair.left.kill();
            front.leadTo(null);
        }
        if (number === 40) front.leadTo(pair.right.port);
    }
    await expectHeard(page, 'numbers', 'number', numbers);
    front.end();
});

test('a page goes back to a socket when one gets through, and misses nothing', async ({ site, page }) => {
    let isBlocked = true;
    let sockets = 0;
    await page.routeWebSocket('**/*', (socket) => {
        if (isBlocked) return socket.close();
        sockets += 1;
        socket.connectToServer();
    });
    await visit(page, site.at('/hello-app-cluster/'));
    const channel = `view:end2end:${uniqueName('stream')}:said`;
    await subscribeSurely(page, 'numbers', channel);
    isBlocked = false;
    await page.evaluate(() => void dispatchEvent(new Event('online')));
    let number = 0;
    await expect(async () => {
        await site.publish(channel, { number });
        number += 1;
        // One to try, the other to stay.
        expect(sockets).toBe(2);
    }).toPass();
    await expectBadge(page, 'Live, local');
    const streams = countStreams(page);
    await publish(page, channel, { number });
    await expectHeard(page, 'numbers', 'number', Array.from({ length: number + 1 }, (_, index) => index));
    expect(streams()).toBe(0);
});
