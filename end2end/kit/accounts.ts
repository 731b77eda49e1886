import { spawn } from 'node:child_process';

import { BINARY } from './built';
import { newFolder, removeFolder } from './folder';
import type { Environment } from './program';

/** Makes an account in the store of this environment, as an administrator does at the command line. */
export async function addUser(name: string, password: string, environment: Environment): Promise<void> {
    const folder = newFolder();
    const child = spawn(BINARY, ['create-user', name, '--password-stdin'], { cwd: folder, env: environment });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    child.stdin.end(`${password}\n`);
    if ((await code) !== 0) throw new Error(`no account ${name}: ${said}`);
    removeFolder(folder);
}
