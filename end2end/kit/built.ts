import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const target = resolve(process.env.CARGO_TARGET_DIR ?? join(__dirname, '../../target'));

/** What `make build` made, and the tests are about. */
export const BINARY = join(target, 'release/server');
/** The folder of the site's files. */
export const SITE = join(target, 'site');

/** Stops before the first test when there is nothing to test. */
export default function requireBuild(): void {
    for (const path of [BINARY, SITE]) {
        if (!existsSync(path)) throw new Error(`${path} is missing; run \`make build\` and then this again`);
    }
}
