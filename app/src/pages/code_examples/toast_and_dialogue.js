jPulse.UI.toast.show('The backup begins', 'warning');

const pressed = await jPulse.UI.modal.show({
    title: 'Save and leave?',
    message: 'Others are still writing.',
    buttons: ['Save', 'Stay'],
});
if (pressed === 0) jPulse.UI.toast.show('Saved', 'success');
