import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** A fenced block of a page of the documentation. */
export interface Block {
    /** Where its fence is: `docs/PROTOCOL.md:12`. */
    place: string;
    language: string;
    text: string;
}

/** Every block of README.md and docs/*.md in one of these languages, in the order of the pages. */
export function blocksOf(...languages: string[]): Block[] {
    const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
    const pages = ['README.md', ...guides.sort().map((name) => `docs/${name}`)];
    return pages.flatMap(blocksIn).filter(({ language }) => languages.includes(language));
}

function blocksIn(name: string): Block[] {
    const blocks: Block[] = [];
    let open: (Block & { indent: number }) | null = null;
    readFileSync(join(ROOT, name), 'utf8')
        .split('\n')
        .forEach((line, index) => {
            const fence = line.match(/^( *)```(\w*)/);
            if (fence && open) {
                blocks.push({ place: open.place, language: open.language, text: open.text });
                open = null;
            } else if (fence) {
                open = { place: `${name}:${index + 1}`, language: fence[2], text: '', indent: fence[1].length };
            } else if (open) {
                open.text += `${line.slice(open.indent)}\n`;
            }
        });
    return blocks;
}
