//! Shopping carts in MongoDB: one document a user, with the user's id.

use std::sync::Arc;

use app::{
    cart::{Cart, CartChange},
    ports::{Carts, StoreError, Tell},
};
use async_trait::async_trait;
use mongodb::{
    ClientSession, Collection,
    bson::{Document, doc, oid::ObjectId, serialize_to_bson, serialize_to_document},
    error::Error,
};

use super::{
    super::{
        carts::{CartRecord, Changed},
        cursor::parse_id,
        outbox::Untold,
    },
    Kind, Mongo,
    change::a_moment,
    is_duplicate,
    outbox::Named,
};

pub(super) const COLLECTION: &str = "carts";

/// The carts of a [`Mongo`] store.
pub(in super::super) struct MongoCarts {
    store: Arc<Mongo>,
    carts: Collection<CartRecord>,
}

impl MongoCarts {
    pub(in super::super) fn new(store: Arc<Mongo>) -> Self {
        Self { carts: store.database.collection(COLLECTION), store }
    }

    /// The user's cart, made when it is missing. Two instances that make it at once make one.
    async fn find_or_make(&self, user: ObjectId) -> Result<CartRecord, Error> {
        loop {
            let found = self.carts.find_one(doc! { "_id": user }).projection(doc! { "announcements": 0 }).await?;
            if let Some(record) = found {
                return Ok(record);
            }
            let mut made = doc! { "_id": user };
            made.extend(serialize_to_document(&CartRecord::new())?);
            match self.carts.clone_with_type::<Document>().insert_one(made).await {
                Err(error) if !is_duplicate(&error) => return Err(error),
                _ => {}
            }
        }
    }

    async fn change_it(&self, user: ObjectId, change: &CartChange, tell: &Tell<Changed>) -> Result<Changed, Error> {
        // Outside of any transaction: what is made here is empty.
        let mut record = self.find_or_make(user).await?;
        if self.store.prepare().await? == Kind::WithTransactions {
            let carts = self.carts.clone();
            let change = change.clone();
            let changed = self.store.in_transaction((COLLECTION, user), tell, move |session| {
                let (carts, change) = (carts.clone(), change.clone());
                Box::pin(async move { change_within(&carts, user, &change, session).await })
            });
            return changed.await?.ok_or_else(|| Error::custom("a cart that was there is not there"));
        }
        let documents = self.carts.clone_with_type::<Named>();
        loop {
            let unchanged = doc! { "_id": user, "version": number(record.version), "requests": &record.requests };
            let is_changed = record.change(change);
            let update = update_to(&record)?;
            let changed = Changed { cart: record.into(), is_changed };
            let untold = tell(&changed).map(Untold::new);
            if self.store.in_one_write(&documents, unchanged, update, untold).await? {
                return Ok(changed);
            }
            a_moment().await;
            record = self.find_or_make(user).await?;
        }
    }
}

/// Reads and writes in a transaction, which is repeated when somebody else wrote between.
async fn change_within(
    carts: &Collection<CartRecord>,
    user: ObjectId,
    change: &CartChange,
    session: &mut ClientSession,
) -> Result<Option<Changed>, Error> {
    let Some(mut record) = carts.find_one(doc! { "_id": user }).session(&mut *session).await? else { return Ok(None) };
    let is_changed = record.change(change);
    carts.update_one(doc! { "_id": user }, update_to(&record)?).session(session).await?;
    Ok(Some(Changed { cart: record.into(), is_changed }))
}

fn update_to(record: &CartRecord) -> Result<Document, Error> {
    let items = serialize_to_bson(&record.items).map_err(Error::custom)?;
    Ok(doc! { "$set": { "version": number(record.version), "items": items, "requests": &record.requests } })
}

fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

#[async_trait]
impl Carts for MongoCarts {
    async fn read(&self, user_id: &str) -> Result<Cart, StoreError> {
        let user = parse_id(user_id)?;
        self.store.within(self.find_or_make(user)).await.map(Cart::from)
    }

    async fn change(&self, user_id: &str, change: CartChange, tell: Tell<Cart>) -> Result<Cart, StoreError> {
        let user = parse_id(user_id)?;
        let tell = Changed::tell(tell);
        self.store.within(self.change_it(user, &change, &tell)).await.map(|changed| changed.cart)
    }
}
