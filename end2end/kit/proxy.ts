import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { CERTIFICATE, KEY } from './certificate';
import { newFolder, removeFolder } from './folder';
import { Program, freePort } from './program';

/** The proxies there are samples for. */
export type Kind = 'nginx' | 'haproxy';

const SAMPLES = resolve(__dirname, '../../deploy');
const KINDS: Kind[] = ['nginx', 'haproxy'];

/** What stands before every instance of this run; nothing, unless JPULSE_TEST_PROXY names it. */
export const KIND = kindOf(process.env.JPULSE_TEST_PROXY ?? '');
/** How browsers speak to instances of this run. */
export const SCHEME = KIND ? 'https' : 'http';
/** For instances behind a proxy: whom to believe. */
export const TRUST = { JPULSE__SERVER__TRUSTED_PROXIES: '["127.0.0.1"]' };

function kindOf(name: string): Kind | null {
    if (name === '') return null;
    const kind = KINDS.find((kind) => kind === name);
    if (!kind) throw new Error(`JPULSE_TEST_PROXY is ${name}: allowed is ${KINDS.join(', ')}`);
    return kind;
}

/** The real program with the sample that deploy/ has for it: only addresses and paths are other ones. */
export class Proxy {
    private constructor(
        readonly port: number,
        /** Where it speaks HTTP without encryption. */
        readonly plainPort: number,
        readonly program: Program,
        readonly folder: string,
    ) {}

    /** Starts one in front of the instances on these ports, and waits until it takes connections. */
    static async start(kind: Kind, instances: number[]): Promise<Proxy> {
        const folder = newFolder();
        // nginx gives up being root, and has to look into it all the same.
        chmodSync(folder, 0o755);
        const [port, plainPort] = [await freePort(), await freePort()];
        const make = { nginx: prepareNginx, haproxy: prepareHaproxy }[kind];
        const [path, args] = make(folder, { port, plainPort, instances });
        const environment = { PATH: `${process.env.PATH ?? ''}:/usr/sbin` };
        const proxy = new Proxy(port, plainPort, new Program(path, args, folder, environment), folder);
        await proxy.#isUp();
        return proxy;
    }

    /** The address of a page behind it. */
    at(path: string): string {
        return `https://127.0.0.1:${this.port}${path}`;
    }

    async end(): Promise<void> {
        await this.program.end('SIGTERM');
        removeFolder(this.folder);
    }

    async #isUp(): Promise<void> {
        const patience = Date.now() + 10_000;
        for (;;) {
            // Whatever it answers: the instances are not its start's affair.
            const answer = await fetch(`http://127.0.0.1:${this.plainPort}/`, { redirect: 'manual' }).catch(() => null);
            if (answer) return;
            if (Date.now() > patience) throw new Error(`the proxy takes no connections:\n${this.program.output}`);
            await new Promise((done) => setTimeout(done, 20));
        }
    }
}

interface Addresses {
    port: number;
    plainPort: number;
    instances: number[];
}

function prepareNginx(folder: string, { port, plainPort, instances }: Addresses): [string, string[]] {
    const site = new Sample('nginx/jpulse.conf')
        .replace('listen 80;', `listen 127.0.0.1:${plainPort};`)
        .replace('listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`)
        .replace('/etc/ssl/site.example/fullchain.pem', CERTIFICATE)
        .replace('/etc/ssl/site.example/privkey.pem', KEY)
        .replaceLines(/^ +server 127\.0\.0\.1:\d+/, instances, (line, instance) => line.replace(/:\d+/, `:${instance}`));
    writeFileSync(join(folder, 'site.conf'), site.text);
    mkdirSync(join(folder, 'temporary'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (what) => `${what}_temp_path ${join(folder, 'temporary', what)};`,
    );
    // What a distribution's own nginx.conf has around it.
    const main = `worker_processes 1; pid ${join(folder, 'pid')}; error_log stderr warn;
        events { worker_connections 4096; }
        http { access_log off; default_type application/octet-stream; ${temporary.join(' ')} include site.conf; }`;
    writeFileSync(join(folder, 'nginx.conf'), main);
    const global = `daemon off; master_process off;`;
    return ['nginx', ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf', '-g', global]];
}

function prepareHaproxy(folder: string, { port, plainPort, instances }: Addresses): [string, string[]] {
    const both = join(folder, 'both.pem');
    writeFileSync(both, readFileSync(CERTIFICATE, 'utf8') + readFileSync(KEY, 'utf8'));
    const site = new Sample('haproxy/haproxy.cfg')
        .replace('bind :80', `bind 127.0.0.1:${plainPort}`)
        .replace('bind :443', `bind 127.0.0.1:${port}`)
        .replace('/etc/haproxy/site.example.pem', both)
        .replaceLines(/^ +server instance-\d/, instances, (_, instance) => `    server at-${instance} 127.0.0.1:${instance}`);
    // Who is nobody special cannot become somebody else.
    if (process.getuid?.() !== 0) site.replace('    user haproxy\n    group haproxy\n', '');
    const path = join(folder, 'haproxy.cfg');
    writeFileSync(path, site.text);
    return ['haproxy', ['-db', '-f', path]];
}

/** A file of deploy/, of which some words are replaced: each must be there. */
class Sample {
    text: string;

    constructor(name: string) {
        this.text = readFileSync(join(SAMPLES, name), 'utf8');
    }

    replace(from: string, to: string): this {
        if (!this.text.includes(from)) throw new Error(`the sample has no ${from}`);
        this.text = this.text.replace(from, to);
        return this;
    }

    /** Puts one line for each instance where such lines stand, made of the first of them. */
    replaceLines(pattern: RegExp, instances: number[], line: (first: string, instance: number) => string): this {
        const lines = this.text.split('\n');
        const place = lines.findIndex((line) => pattern.test(line));
        if (place < 0) throw new Error(`the sample has no line like ${pattern}`);
        const made = instances.map((instance) => line(lines[place], instance));
        const others = lines.slice(place).filter((line) => !pattern.test(line));
        this.text = [...lines.slice(0, place), ...made, ...others].join('\n');
        return this;
    }
}
