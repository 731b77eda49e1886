import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { newFolder, removeFolder } from './folder';

/** A certificate for this host that nobody has signed, of this run. Node trusts it from the start of a worker on. */
export const CERTIFICATE = process.env.JPULSE_TEST_CERTIFICATE ?? make();
/** Its key. */
export const KEY = join(CERTIFICATE, '../privkey.pem');

/** Made once, by the process that starts the workers; they find it in their environment. */
function make(): string {
    const folder = newFolder();
    process.on('exit', () => removeFolder(folder));
    const certificate = join(folder, 'fullchain.pem');
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    const files = ['-keyout', join(folder, 'privkey.pem'), '-out', certificate];
    execFileSync('openssl', ['req', ...kind, ...names, ...files], { stdio: 'ignore' });
    process.env.JPULSE_TEST_CERTIFICATE = certificate;
    // Whatever else the machine trusts: the tests talk to this host alone.
    process.env.NODE_EXTRA_CA_CERTS = certificate;
    return certificate;
}
