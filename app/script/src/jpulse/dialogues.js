// Dialogues.

// Resolves to the button that was pressed, counted from 0, or to null when the dialogue was left
// otherwise. One at a time: the next waits.
let modalsBefore = Promise.resolve();
const showModal = (options) => {
    const { title = '', message = '', buttons = ['OK'] } = options ?? {};
    const labels = Array.isArray(buttons) && buttons.length > 0 ? buttons : ['OK'];
    const shown = modalsBefore.then(() => new Promise((resolve) => {
        const dialog = document.createElement('dialog');
        const heading = document.createElement('h2');
        const text = document.createElement('p');
        const row = document.createElement('p');
        const id = `jpulse-modal-${newUuid()}`;
        heading.id = id;
        heading.textContent = String(title);
        text.textContent = String(message);
        row.className = 'modal-buttons';
        dialog.setAttribute('aria-labelledby', id);
        labels.forEach((label, index) => {
            const button = document.createElement('button');
            button.type = 'button';
            button.className = index === 0 ? 'button' : 'button-quiet';
            button.textContent = String(label?.label ?? label);
            button.addEventListener('click', () => dialog.close(String(index)));
            row.append(button);
        });
        dialog.append(heading, text, row);
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(dialog.returnValue === '' ? null : Number(dialog.returnValue));
        });
        // Beside the body, where hydration does not look.
        html.append(dialog);
        dialog.showModal();
    }));
    modalsBefore = shown.catch(() => {});
    return shown;
};
