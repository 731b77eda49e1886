//! The public dashboard's first numbers over REST, for scripts; changes come on `view:dashboard:activity:update`.

use app::ports::Ports;
use axum::{Router, extract::State, routing::get};

use super::answer::Answer;

/// `/api/1/dashboard/stats`
pub(super) fn routes() -> Router<Ports> {
    Router::new().route("/api/1/dashboard/stats", get(stats))
}

/// `data: {activeUsers, stats, recentActions}`
async fn stats(State(ports): State<Ports>) -> Answer {
    Answer::data(ports.observatory.dashboard().await)
}
