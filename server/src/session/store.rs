//! Sessions as tower-sessions stores them: Redis first, this instance's memory when Redis is away.

use async_trait::async_trait;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use super::{Sessions, facts::Kept, lost::Sought, remote::Written};

#[async_trait]
impl SessionStore for Sessions {
    /// Under a name of its own, whatever the record was called before.
    async fn create(&self, record: &mut Record) -> Result<()> {
        let inner = &self.inner;
        record.id = Id::default();
        let kept = Kept::of(record, inner.ends_at());
        let state = inner.state();
        let mut in_redis = 0;
        while let Some(remote) = &inner.remote {
            match remote.create(&record.id.to_string(), &kept).await {
                Ok(true) => in_redis = state,
                Ok(false) => {
                    record.id = Id::default();
                    continue;
                }
                Err(error) => {
                    tracing::debug!(%error, "a session is made without redis");
                    inner.repair_wanted.notify_one();
                }
            }
            break;
        }
        let id = record.id.to_string();
        inner.memory().keep(&id, kept.clone(), in_redis);
        inner.back_up(&id, &kept);
        Ok(())
    }

    /// A session that is over stays so; whoever saved it finds out with the next request.
    async fn save(&self, record: &Record) -> Result<()> {
        let inner = &self.inner;
        let (id, kept) = (record.id.to_string(), Kept::of(record, inner.ends_at()));
        if inner.memory().is_over(&id, &kept) {
            return Ok(());
        }
        let state = inner.state();
        let in_redis = match &inner.remote {
            None => 0,
            Some(remote) => match remote.save(&id, &kept).await {
                Ok(Written::Yes) => state,
                Ok(Written::Over) => {
                    inner.memory().forget(&id);
                    return Ok(());
                }
                Err(error) => {
                    tracing::debug!(%error, "a session is saved without redis");
                    0
                }
            },
        };
        if inner.memory().keep(&id, kept.clone(), in_redis) {
            inner.back_up(&id, &kept);
        }
        Ok(())
    }

    /// Fails when nobody can say whether there is such a session: the browser keeps its cookie then.
    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let (inner, name) = (&self.inner, id.to_string());
        if inner.memory().endings.is_over(&name, None) {
            return Ok(None);
        }
        let state = inner.state();
        let sought = match &inner.remote {
            None => match inner.remembered(&name).await {
                // There is nowhere else to look.
                Sought::Unknown => Sought::Over,
                sought => sought,
            },
            Some(remote) => match remote.load(&name).await {
                Ok(Some(kept)) => inner.accept(remote, &name, kept, state).await,
                Ok(None) => inner.seek(remote, &name).await,
                Err(_) => inner.remembered(&name).await,
            },
        };
        match sought {
            Sought::Found(kept) => {
                let expiry_date = time::OffsetDateTime::now_utc() + inner.life;
                Ok(Some(Record { id: *id, data: kept.data, expiry_date }))
            }
            Sought::Over => Ok(None),
            Sought::Unknown => Err(Error::Backend("redis is away, and this instance has not seen the session".into())),
        }
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.end(&id.to_string()).await;
        Ok(())
    }
}
