const DashboardApp = {
    data() {
        return {
            activeUsers: 0,
            recentActions: [],
            stats: {}
        };
    },

    mounted() {
        // Subscribe to activity updates
        jPulse.appCluster.broadcast.subscribe(
            'view:dashboard:activity:update',
            (data) => {
                // Update stats
                this.activeUsers = data.activeUsers;
                this.stats = data.stats;

                // Add to recent actions
                if (data.action) {
                    this.recentActions.unshift({
                        ...data.action,
                        timestamp: Date.now()
                    });

                    // Keep only last 50
                    this.recentActions = this.recentActions.slice(0, 50);
                }
            }
        );

        // Load initial data
        this.loadInitialData();
    },

    methods: {
        async loadInitialData() {
            const response = await jPulse.api.get('/api/1/dashboard/stats');
            if (response.success) {
                this.activeUsers = response.data.activeUsers;
                this.stats = response.data.stats;
            }
        }
    }
};
