//! Code to take away, in Rust and for plain scripts.

use leptos::prelude::*;

use crate::components::{
    page::PageHeader,
    source::{SourceFile, SourceSample, source},
};

/// One thing to do, in both languages.
struct Pair {
    /// Unique on the page.
    id: &'static str,
    title: &'static str,
    text: &'static str,
    rust: SourceFile,
    script: SourceFile,
}

/// The pair whose files have this name.
macro_rules! pair {
    ($name:literal, $title:literal, $text:literal) => {
        Pair {
            id: $name,
            title: $title,
            text: $text,
            rust: source!("app/src/pages/code_examples/", $name, ".rs"),
            script: source!("app/src/pages/code_examples/", $name, ".js"),
        }
    };
}

const PAIRS: [Pair; 12] = [
    pair!("subscribe", "Subscribe", "A callback for every message of a channel: once, and in order."),
    pair!("publish", "Publish", "To every browser that listens, on every instance, with a receipt."),
    pair!("omit_self", "Leave oneself out", "For what this tab has shown already."),
    pair!(
        "respond_then_broadcast",
        "Answer, then broadcast",
        "For anything that must be true tomorrow: the server checks and saves, and tells everybody afterwards."
    ),
    pair!("live_list", "A list that stays current", "Loaded once, then changed by what is told."),
    pair!("cluster_mode", "Follow the cluster", "Whether other instances hear what happens here."),
    pair!("gap", "When something is lost", "After an outage longer than the log reaches back, one is told so."),
    pair!(
        "endpoint",
        "A WebSocket endpoint",
        "A conversation with the server: messages, and requests with their answers."
    ),
    pair!("toast_and_dialogue", "Toast and dialogue", "A word that passes, and one that waits."),
    pair!("between_instances", "From instance to instance", "What servers tell each other, browsers do not hear."),
    pair!("read_configuration", "Read configuration", "Kept in memory, current on every instance."),
    pair!("feature_flag", "A feature flag", "Switched by administrators while pages are open."),
];

/// Snippets for Rust and for plain scripts. The tests compile those in Rust and run the scripts.
#[component]
pub fn CodeExamplesPage() -> impl IntoView {
    let pairs = PAIRS
        .into_iter()
        .map(|Pair { id, title, text, rust, script }| {
            view! {
                <section class="pair" aria-labelledby=id>
                    <h2 id=id>{title}</h2>
                    <p>{text}</p>
                    <div class="pair-sides">
                        <SourceSample file=rust title />
                        <SourceSample file=script title />
                    </div>
                </section>
            }
            .into_any()
        })
        .collect_view();
    view! {
        <PageHeader
            title="Code examples"
            lead="The same twelve things in Rust, where the compiler checks channels and payloads, and with window.jPulse for plain scripts."
        />
        <div class="pairs">{pairs}</div>
        <section class="explain" aria-labelledby="practices">
            <h2 id="practices">"Best practices"</h2>
            <dl class="facts">
                <div>
                    <dt>"Answer first, then broadcast"</dt>
                    <dd>
                        "Check and save the change, answer the request, then broadcast to the others. A broadcast that fails fails nothing: the document in the store is the truth."
                    </dd>
                </div>
                <div>
                    <dt>"Subscribe before you load"</dt>
                    <dd>"What changes between the two is then heard. LiveResource does both in this order."</dd>
                </div>
                <div>
                    <dt>"Send what changed"</dt>
                    <dd>"One item with its version, not the whole list: the log keeps more of them, and slow browsers keep up."</dd>
                </div>
                <div>
                    <dt>"Take a broadcast as a hint"</dt>
                    <dd>
                        "Every visitor can publish on a "
                        <code>"view:"</code>
                        " channel. Show as text what comes, and read from the server what must be right."
                    </dd>
                </div>
                <div>
                    <dt>"Nothing secret in a payload"</dt>
                    <dd>"Say that something changed, and let each page ask for what its visitor may see."</dd>
                </div>
                <div>
                    <dt>"Leave yourself out"</dt>
                    <dd>"Show an own change at once and subscribe with omitSelf; it follows the tab, not the connection."</dd>
                </div>
                <div>
                    <dt>"Throttle what moves"</dt>
                    <dd>"Cursors and sliders 20 times a second at most, and the policy latest for their channel."</dd>
                </div>
                <div>
                    <dt>"Load again after a gap"</dt>
                    <dd>"It is rare and only comes when repair is impossible; a page that ignores it stays wrong."</dd>
                </div>
            </dl>
        </section>
        <section class="explain" aria-labelledby="names">
            <h2 id="names">"Names of channels"</h2>
            <p>
                <code>"layer:component:domain:action"</code>
                " by convention, then more parts if you like; three are enough. Browsers use the layer "
                <code>"view:"</code> "; instances talk on " <code>"controller:"</code> " and " <code>"model:"</code>
                ". A pattern ends in " <code>":*"</code> ", as in " <code>"view:myApp:*"</code> "."
            </p>
        </section>
    }
    .into_any()
}

/// What visitors copy must compile.
#[cfg(all(doctest, feature = "ssr"))]
mod compiled {
    macro_rules! compiled {
        ($($item:ident = $name:literal,)*) => {
            $(#[doc = concat!(
                "```no_run\n",
                include_str!(concat!("code_examples/", $name, ".rs")),
                "\n# fn main() {}\n```"
            )]
            struct $item;)*
        };
    }

    compiled! {
        Subscribe = "subscribe",
        Publish = "publish",
        OmitSelf = "omit_self",
        RespondThenBroadcast = "respond_then_broadcast",
        LiveList = "live_list",
        ClusterMode = "cluster_mode",
        Gap = "gap",
        Endpoint = "endpoint",
        ToastAndDialogue = "toast_and_dialogue",
        BetweenInstances = "between_instances",
        ReadConfiguration = "read_configuration",
        FeatureFlag = "feature_flag",
    }
}
