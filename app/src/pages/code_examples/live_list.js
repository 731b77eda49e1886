const list = document.querySelector('#tasks');
const show = async () => {
    const { todos } = await jPulse.api.get('/api/1/helloClusterTodo?limit=20');
    list.replaceChildren(...todos.map((todo) => {
        const item = document.createElement('li');
        item.textContent = todo.title;
        return item;
    }));
};

// First listen, then load: nothing is missed in between.
jPulse.appCluster.broadcast.subscribe('view:helloClusterTodo:*', show);
jPulse.appCluster.onGap(show);
await show();
