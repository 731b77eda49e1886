// Toasts: for plain pages here, else by the application.

const TOAST_EVENT = 'jpulse:toast';
const TOAST_MS = 6000;
const HYDRATION_MS = 4000;

// Whether the application will come and show them; a plain page says that none will.
let awaitsApplication = true;

const isHydrated = () => html.hasAttribute('data-hydrated');
let earlyToasts = [];

// On a page without the application's own region: beside the body, where hydration does not look.
const plainRegion = () => {
    let region = html.querySelector(':scope > .toasts');
    if (!region) {
        region = document.createElement('div');
        region.className = 'toasts';
        region.setAttribute('role', 'status');
        region.setAttribute('aria-live', 'polite');
        html.append(region);
    }
    return region;
};
const showPlainly = ({ message, level }) => {
    const region = plainRegion();
    const toast = document.createElement('div');
    toast.className = `toast toast-${level}`;
    toast.textContent = message;
    region.append(toast);
    setTimeout(() => toast.remove(), TOAST_MS);
};
const raise = (detail) => {
    if (isHydrated() && document.querySelector('body .toasts')) {
        dispatchEvent(new CustomEvent(TOAST_EVENT, { detail }));
    } else {
        showPlainly(detail);
    }
};
const raiseEarly = () => {
    const toasts = earlyToasts;
    earlyToasts = [];
    toasts.forEach(raise);
};
let patience = null;
const show = (message, level) => {
    const known = ['info', 'success', 'warning', 'error'];
    const detail = { message: String(message), level: known.includes(level) ? level : 'info' };
    if (isHydrated() || !awaitsApplication) {
        raise(detail);
    } else {
        earlyToasts.push(detail);
        patience ??= setTimeout(raiseEarly, HYDRATION_MS);
        if (earlyToasts.length > 20) earlyToasts.shift();
    }
};
