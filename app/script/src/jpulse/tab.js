// The tab's name: stable across reloads, another one for a duplicated tab.

// Shared with the original client, so that a tab keeps its name while a site migrates.
const UUID_KEY = 'jPulse.ws.clientUUID';
const IN_USE_KEY = 'jPulse.ws.clientUUID.inUse';

const newUuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    // Pages without HTTPS have no randomUUID.
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
};

// A duplicated tab begins with a copy of the storage. The page in view holds a mark there and
// takes it away when it is left: whoever finds the mark is a copy of a tab that still runs.
const uuid = (() => {
    // A frame shares its tab's storage, but is a page and a socket of its own.
    if (window.top !== window) return newUuid();
    try {
        const known = sessionStorage.getItem(UUID_KEY);
        const isCopy = sessionStorage.getItem(IN_USE_KEY) !== null;
        const uuid = known && known.length <= 64 && !isCopy ? known : newUuid();
        const hold = () => {
            sessionStorage.setItem(UUID_KEY, uuid);
            sessionStorage.setItem(IN_USE_KEY, '1');
        };
        hold();
        addEventListener('pagehide', () => sessionStorage.removeItem(IN_USE_KEY));
        addEventListener('pageshow', hold);
        return uuid;
    } catch {
        // Storage is blocked: a name for this page must do.
        return newUuid();
    }
})();
