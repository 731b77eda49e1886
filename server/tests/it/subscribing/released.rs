//! What nobody listens to any more is given up in Redis too.

use std::time::Duration;

use server::bus::{Bus, Link, RedisBus};
use tokio::time::timeout;
use wire::Pattern;

use super::super::kit::{SOON, events::Events, redis::Redis, until, until_within};
use super::{NEWS, pair, publish};

/// A channel is heard for 30 s after its last subscriber left; every 10 s what is over is looked for.
const RELEASED_WITHIN: Duration = Duration::from_secs(60);

/// The channels of this kind that somebody is subscribed to in Redis.
fn subscribed(redis: &Redis, pattern: &str) -> usize {
    let answer = redis.command(&format!("PUBSUB CHANNELS {pattern}"));
    answer.lines().next().and_then(|line| line.strip_prefix('*')?.parse().ok()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aborted_event_streams_leave_no_channel_subscribed() {
    let redis = Redis::start();
    let [left, right] = pair(&redis).await;
    for stream in 0..100 {
        let query = (0..256).map(|number| format!("channel=view:it:s{stream}:c{number}")).collect::<Vec<_>>().join("&");
        // Gone when the first of its channels is answered, at the latest.
        let mut events = Events::hear(right.address, &query, &[]).await;
        if stream % 2 == 0 {
            events.subscribed().await;
        }
    }
    until("they are subscribed", async || subscribed(&redis, "jpulse:dev:bc:view:it:s*") > 0).await;
    let is_released = async || subscribed(&redis, "jpulse:dev:bc:view:it:s*") == 0;
    until_within(RELEASED_WITHIN, "nothing is subscribed", is_released).await;
    // Those channels are as good as any other.
    let mut events = Events::hear(right.address, "channel=view:it:s1:c7&channel=view:it:s99:c255", &[]).await;
    let _ = (events.subscribed().await, events.subscribed().await);
    for channel in ["view:it:s1:c7", "view:it:s99:c255"] {
        publish(&left, channel, 7).await;
        assert_eq!(events.next_data().await["number"], 7);
    }
}

#[tokio::test]
async fn whoever_gives_up_while_redis_is_asked_leaves_no_count_behind() {
    let redis = Redis::start();
    let (bus, _inbox) = RedisBus::start(&redis.config(), "it:dev:".into()).unwrap();
    let (topics, _heard) = bus.topics("t:");
    timeout(SOON, bus.link().wait_for(|link| *link == Link::Up)).await.unwrap().unwrap();
    let (pattern, topic): (Pattern, _) = (NEWS.parse().unwrap(), ["t:one".to_owned()]);
    for steps in 0..24 {
        // Has Redis asked at the same time, so that the others wait for each other too.
        let wildcard: Pattern = format!("view:it:n{steps}:*").parse().unwrap();
        let busy = tokio::spawn({
            let bus = bus.clone();
            async move { drop((bus.join(&wildcard).await, bus.leave(&wildcard).await)) }
        });
        // Goes away after a few steps, wherever that is.
        let aborted = tokio::spawn({
            let (bus, topics, pattern, topic) = (bus.clone(), topics.clone(), pattern.clone(), topic.clone());
            async move { tokio::join!(bus.join(&pattern), topics.hear(&topic)) }
        });
        for _ in 0..=steps {
            tokio::task::yield_now().await;
        }
        aborted.abort();
        // Undone once by whoever keeps account of it, and may go away too.
        let undoing = async { tokio::join!(bus.leave(&pattern), topics.ignore(&topic)) };
        let _ = timeout(Duration::from_micros(steps * 10), undoing).await;
        busy.await.unwrap();
    }
    until("nothing is heard", async || subscribed(&redis, "it:dev:bc:*") + subscribed(&redis, "it:dev:t:*") == 0).await;
    bus.join(&pattern).await.unwrap();
    topics.hear(&topic).await.unwrap();
    assert_eq!(subscribed(&redis, "it:dev:bc:*") + subscribed(&redis, "it:dev:t:*"), 2);
    tokio::join!(bus.leave(&pattern), topics.ignore(&topic));
    until("nothing is heard", async || subscribed(&redis, "it:dev:bc:*") + subscribed(&redis, "it:dev:t:*") == 0).await;
}
