import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** The place of a file of the repository. */
export function placeOf(path: string): string {
    return join(ROOT, path);
}

/** A source file as pages show it: without the line break at its end. */
export function sourceOf(path: string): string {
    return readFileSync(placeOf(path), 'utf8').trimEnd();
}
