import { newFolder, removeFolder } from './folder';
import { Program, freePort } from './program';

/** A real Redis, empty; on a free port unless told otherwise. */
export class Redis {
    private constructor(
        readonly port: number,
        readonly program: Program,
        readonly folder: string,
    ) {}

    static async start(port?: number): Promise<Redis> {
        const folder = newFolder();
        port ??= await freePort();
        const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
        const program = new Program('redis-server', args, folder, { PATH: process.env.PATH ?? '' });
        await program.says(/Ready to accept connections/);
        return new Redis(port, program, folder);
    }

    async end(): Promise<void> {
        await this.program.end('SIGKILL');
        removeFolder(this.folder);
    }
}
