// What all parts use: errors with a code, callbacks, and the link to the relay, which WebAssembly brings.

const html = document.documentElement;

const fail = (code, message, ErrorType = Error) => Object.assign(new ErrorType(message), { code });

// A script's own errors are its own: nobody else is to suffer.
const call = (callback, ...values) => {
    try {
        callback(...values);
    } catch (error) {
        console.error(error);
    }
};

// Adds a callback to a set; what that returns takes it out again.
const listen = (callbacks) => (callback) => {
    if (typeof callback !== 'function') throw fail('INVALID_CALLBACK', 'The callback is not a function.', TypeError);
    callbacks.add(callback);
    return () => callbacks.delete(callback);
};

// The text of a JSON object; anything else is refused.
const textOf = (value, message, ErrorType) => {
    const text = JSON.stringify(value);
    if (text?.[0] !== '{') throw fail('INVALID_DATA', message, ErrorType);
    return text;
};

// Until it is there, what needs it waits; each of these begins then.
let link = null;
const beginnings = new Set();

let isClusterMode = document.querySelector('meta[name="jpulse-cluster-mode"]')?.content === 'true';
const onClusterChange = new Set();
