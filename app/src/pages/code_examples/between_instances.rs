use app::ports::{CallbackOptions, Cluster};
use wire::ChannelError;

/// Server to server: every other instance drops what it has cached.
fn follow_cache_news(cluster: &dyn Cluster, forget: fn(&str)) -> Result<(), ChannelError> {
    cluster.register_broadcast_callback(
        "controller:myApp:cache:*".parse()?,
        CallbackOptions::default(), // not our own: the default for `controller:`
        Box::new(move |message| {
            if let Some(key) = message.data.get("key").and_then(|key| key.as_str()) {
                forget(key);
            }
        }),
    );
    Ok(())
}
