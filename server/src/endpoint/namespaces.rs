//! Endpoints as the metrics of all instances show them.

use super::{Endpoint, Endpoints, tally::Loss};
use crate::{
    clock::{now_milliseconds, rfc3339},
    hub::Link,
    metrics::{Namespace, Namespaces, Status},
};

impl Namespaces for Endpoints {
    fn namespaces(&self) -> Vec<Namespace> {
        let link = *self.shared.topics.link().borrow();
        self.all().values().map(|endpoint| namespace(endpoint, link)).collect()
    }
}

fn namespace(endpoint: &Endpoint, link: Link) -> Namespace {
    let mut here = endpoint.here();
    let counts = here.tally.counts(now_milliseconds());
    // Not what was refused: that is its sender's affair.
    let lost = [Loss::Link, Loss::NoReply].iter().filter_map(|why| counts.dropped.get(why)).sum();
    let is_losing = here.losing.has_grown(lost);
    Namespace {
        path: endpoint.path(),
        users: here.roster.len() as u64,
        connections: here.members.len() as u64,
        messages: counts.messages,
        messages_per_minute: 0,
        status: match link {
            Link::Down => Status::Red,
            Link::Up | Link::Local if is_losing => Status::Yellow,
            Link::Up | Link::Local => Status::Green,
        },
        last_activity: (counts.last_activity > 0).then(|| rfc3339(counts.last_activity)),
    }
}
