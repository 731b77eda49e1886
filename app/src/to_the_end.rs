//! Changes that nobody breaks off.

use crate::ports::StoreError;

/// Carries `change` through even when the browser hangs up meanwhile, which drops the request's
/// future: a change that was begun is saved and announced at once.
pub(crate) async fn to_the_end<T, E>(change: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let ended = tokio::spawn(change).await;
    ended.unwrap_or_else(|ended| Err(StoreError::Unavailable(Box::new(ended)).into()))
}
