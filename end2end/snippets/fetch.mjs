const response = await jPulse.appCluster.fetch('/api/1/myController', {
    method: 'POST',
    body: {
        title: 'New task',
        description: 'Task details'
    }
    // UUID automatically added to body
});

const result = await response.json();
