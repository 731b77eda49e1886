// For plain pages, which no application takes over: brings the client, a look, and a memory.

const MODE_KEY = 'jPulse.clusterMode';
const ATTEMPTS = 8;

awaitsApplication = false;

// Until the relay says whether instances hear each other: what it said to the page before.
if (!document.querySelector('meta[name="jpulse-cluster-mode"]')) {
    try {
        isClusterMode = sessionStorage.getItem(MODE_KEY) === 'true';
        onClusterChange.add((mode) => sessionStorage.setItem(MODE_KEY, mode));
    } catch {
        // Storage is blocked: the relay's word must do.
    }
}

// Weaker than any rule of the page's own.
try {
    const look = new CSSStyleSheet();
    look.replaceSync(LOOK);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, look];
} catch {
    // An older browser: toasts stand at the end of the page, as they are.
}

// A region that is there before its first words is one that screen readers watch.
jPulse.dom.ready(plainRegion);

const load = async (attempt) => {
    const [module, wasm] = CLIENT;
    try {
        const bytes = fetch(wasm);
        bytes.catch(() => {});
        // A browser may remember for as long as the page is open that an address could not be loaded.
        const client = await import(attempt ? `${module}?again=${attempt}` : module);
        await client.default({ module_or_path: bytes });
        client.start();
    } catch (error) {
        if (attempt < ATTEMPTS) setTimeout(load, Math.min(500 * 2 ** attempt, 30_000), attempt + 1);
        else console.error('jPulse: the client did not load, so that nothing is heard here.', error);
    }
};
load(0);
