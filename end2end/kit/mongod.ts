import { newFolder, removeFolder } from './folder';
import { Program, freePort } from './program';

/** A real MongoDB on a free port, empty. */
export class Mongod {
    private constructor(
        readonly port: number,
        readonly program: Program,
        readonly folder: string,
    ) {}

    static async start(): Promise<Mongod> {
        const folder = newFolder();
        const port = await freePort();
        const args = ['--bind_ip', '127.0.0.1', '--port', String(port), '--dbpath', folder, '--nounixsocket'];
        args.push('--wiredTigerCacheSizeGB', '0.25', '--setParameter', 'diagnosticDataCollectionEnabled=false');
        const path = process.env.JPULSE_TEST_MONGOD ?? 'mongod';
        const program = new Program(path, args, folder, { PATH: process.env.PATH ?? '' });
        await program.says(/Waiting for connections/);
        return new Mongod(port, program, folder);
    }

    /** The address of a database of this name. */
    uri(database: string): string {
        return `mongodb://127.0.0.1:${this.port}/${database}`;
    }

    /** Makes it hang: connections stand, nothing is answered. */
    stall(): void {
        this.program.signal('SIGSTOP');
    }

    /** Lets it go on. */
    goOn(): void {
        this.program.signal('SIGCONT');
    }

    async end(): Promise<void> {
        await this.program.end('SIGKILL');
        removeFolder(this.folder);
    }
}
