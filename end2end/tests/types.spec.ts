import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

import { plainPage, test } from '../kit/plain_page';
import { expect } from '../kit/test';
import { CONNECTION, SHAPE } from '../types/shape';

const TYPES = resolve(__dirname, '../types');

test('a script of a page is checked by TypeScript, and its mistakes are found', () => {
    const compiler = require.resolve('typescript/bin/tsc');
    let said = '';
    try {
        execFileSync(process.execPath, [compiler, '--project', TYPES], { encoding: 'utf8' });
    } catch (error) {
        said = (error as { stdout: string }).stdout;
    }
    expect(said).toBe('');
});

test('the declarations tell exactly what is there', async ({ site, page, put, complaints }) => {
    // The connection ends as soon as it was looked at.
    complaints.allow(/WebSocket is closed before/);
    await page.goto(site.at(put(plainPage())));
    const shapes = await page.evaluate(() => {
        const shape = (value: unknown): unknown =>
            typeof value === 'object' && value !== null
                ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]))
                : typeof value;
        const connection = window.jPulse.ws.connect('/api/1/ws/hello-chat');
        const shapes = [shape(window.jPulse), shape(connection)];
        connection.disconnect();
        return shapes;
    });
    expect(shapes).toEqual([SHAPE, CONNECTION]);
});

test('the declarations are served beside the script', async ({ site }) => {
    const served = await fetch(site.at('/jpulse.d.ts'));
    expect([served.status, (await served.text()).includes('interface JPulse ')]).toEqual([200, true]);
});
