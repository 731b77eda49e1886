//! Shopping carts in the embedded store.

use std::sync::Arc;

use app::{
    cart::{Cart, CartChange},
    ports::{Carts, StoreError, Tell},
};
use async_trait::async_trait;
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

use super::{
    super::{
        carts::{CartRecord, Changed},
        cursor::parse_id,
    },
    Embedded,
};

/// One cart for each user's id, as JSON, so that fields can be added.
const CARTS: TableDefinition<'_, User, &[u8]> = TableDefinition::new("carts");

/// The id of a user.
type User = [u8; 12];

/// Makes the table of this collection.
pub(super) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(CARTS)?;
    Ok(())
}

/// The carts of an [`Embedded`] store.
pub(in super::super) struct EmbeddedCarts(Arc<Embedded>);

impl EmbeddedCarts {
    pub(in super::super) fn new(store: Arc<Embedded>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Carts for EmbeddedCarts {
    async fn read(&self, user_id: &str) -> Result<Cart, StoreError> {
        let user = parse_id(user_id)?.bytes();
        let found = self.0.read(move |transaction| {
            let carts = transaction.open_table(CARTS)?;
            carts.get(user)?.map(|json| read(json.value())).transpose().map(Ok)
        });
        if let Some(record) = found.await? {
            return Ok(record.into());
        }
        self.0
            .write(move |transaction| {
                let mut carts = transaction.open_table(CARTS)?;
                let record = find_or_new(&carts, user)?;
                put(&mut carts, user, &record)?;
                Ok(Ok(record.into()))
            })
            .await
    }

    async fn change(&self, user_id: &str, change: CartChange, tell: Tell<Cart>) -> Result<Cart, StoreError> {
        let user = parse_id(user_id)?.bytes();
        let changed = self.0.write_and_tell(
            move |transaction| {
                let mut carts = transaction.open_table(CARTS)?;
                let mut record = find_or_new(&carts, user)?;
                let is_changed = record.change(&change);
                put(&mut carts, user, &record)?;
                Ok(Ok(Changed { cart: record.into(), is_changed }))
            },
            Changed::tell(tell),
        );
        Ok(changed.await?.cart)
    }
}

fn find_or_new(carts: &Table<'_, User, &[u8]>, user: User) -> Result<CartRecord, redb::Error> {
    match carts.get(user)? {
        Some(json) => read(json.value()),
        None => Ok(CartRecord::new()),
    }
}

fn put(carts: &mut Table<'_, User, &[u8]>, user: User, record: &CartRecord) -> Result<(), redb::Error> {
    let json = serde_json::to_vec(record)
        .map_err(|error| redb::Error::Corrupted(format!("a cart cannot be written: {error}")))?;
    carts.insert(user, json.as_slice())?;
    Ok(())
}

fn read(json: &[u8]) -> Result<CartRecord, redb::Error> {
    serde_json::from_slice(json).map_err(|error| redb::Error::Corrupted(format!("a cart cannot be read: {error}")))
}
