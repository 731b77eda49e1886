import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder of a test's own. */
export function newFolder(): string {
    return mkdtempSync(join(tmpdir(), 'jpulse-end2end-'));
}

export function removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
