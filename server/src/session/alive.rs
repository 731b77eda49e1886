//! Which of the sessions behind open sockets are over, and how long the others live.

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt, stream};

use super::{Inner, facts::Kept, lost::Sought};

/// Sessions looked for at once that Redis lacks.
const SOUGHT_AT_ONCE: usize = 32;

impl Inner {
    /// Which of these sessions are over; those that Redis only lacks are put back.
    pub(super) async fn over_among(&self, ids: &[Arc<str>]) -> HashSet<Arc<str>> {
        let mut over = HashSet::new();
        let mut unsure: Vec<String> = Vec::new();
        {
            let memory = self.memory();
            for id in ids {
                if memory.endings.is_over(id, None) || (self.remote.is_none() && memory.get(id).is_none()) {
                    over.insert(Arc::clone(id));
                } else {
                    unsure.push(id.to_string());
                }
            }
        }
        let Some(remote) = &self.remote else { return over };
        // Those of open sockets count as used, for a Redis that evicts what was unused for longest.
        let Ok(lives) = remote.touch(&unsure).await else { return over };
        let (mut missing, mut unremembered) = (Vec::new(), Vec::new());
        {
            let mut memory = self.memory();
            for (id, left) in unsure.into_iter().zip(lives) {
                match left {
                    Some(left) if memory.lives_for(&id, left) || memory.is_full() => {}
                    Some(left) => unremembered.push((id, left)),
                    None if memory.has_expired(&id) => {
                        over.insert(id.into());
                    }
                    None => missing.push(id),
                }
            }
        }
        let state = self.state();
        for (id, left) in unremembered {
            if let Ok(Some(kept)) = remote.peek(&id).await {
                let mut memory = self.memory();
                if memory.keep(&id, Kept { ends_at: self.ends_at(), ..kept }, state) {
                    memory.lives_for(&id, left);
                }
            }
        }
        let sought = missing.into_iter().map(|id| async move { (self.seek(remote, &id).await, id) });
        let mut sought = stream::iter(sought.collect::<Vec<_>>()).buffer_unordered(SOUGHT_AT_ONCE);
        while let Some((sought, id)) = sought.next().await {
            if matches!(sought, Sought::Over) {
                over.insert(id.into());
            }
        }
        over
    }
}
