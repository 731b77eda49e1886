//! How it works, as a picture and in words.

use leptos::prelude::*;

use crate::{
    components::{nav::PageLink, page::PageHeader},
    pages::address,
};

/// The picture for wide screens and the one for narrow ones; the style sheet shows one of them.
const WIDE: &str = include_str!("architecture/wide.svg");
const TALL: &str = include_str!("architecture/tall.svg");

/// The way of one change, as numbered in the picture.
const STEPS: [(&str, &str); 6] = [
    ("Ask", "Browser 1 asks its instance for a change, and shows it at once."),
    ("Save", "Instance A checks the change and saves it. The document in the store is the truth."),
    ("Answer", "Browser 1 gets its answer. Had it been no, the browser would take the change back."),
    ("Announce", "Instance A appends the news to the channel's log in Redis, which gives it its number."),
    ("Pass on", "Redis tells every other instance. One that missed a number fetches it from the log."),
    ("Show", "Each instance sends the news to its browsers, which apply it to what they show."),
];

/// Parts, their picture and the message flow.
#[component]
pub fn ArchitecturePage() -> impl IntoView {
    let steps =
        STEPS.into_iter().map(|(name, text)| view! { <li><strong>{name}</strong> ". " {text}</li> }).collect_view();
    view! {
        <PageHeader
            title="Architecture"
            lead="Instances know nothing of each other. They agree on numbered messages in one log for each channel."
        />
        <section class="part" aria-labelledby="picture">
            <h2 id="picture">"One change, three browsers"</h2>
            <figure class="diagram card">
                <div
                    role="img"
                    aria-label="Three browsers, each connected to its own application instance. The first instance saves to the store and publishes to Redis; Redis tells the other two instances, and they tell their browsers."
                >
                    <div class="diagram-wide" inner_html=WIDE></div>
                    <div class="diagram-tall" inner_html=TALL></div>
                </div>
                <figcaption>"The numbers are the steps below."</figcaption>
            </figure>
            <ol class="steps">{steps}</ol>
        </section>
        <section class="explain" aria-labelledby="when">
            <h2 id="when">"When something breaks"</h2>
            <dl class="facts">
                <div>
                    <dt>"A browser loses its connection"</dt>
                    <dd>
                        "It tries again with growing pauses, at whichever instance answers, and says up to which number it has seen everything. What followed is sent, once and in order."
                    </dd>
                </div>
                <div>
                    <dt>"Too much was missed"</dt>
                    <dd>"The log keeps 1,000 messages or 10 minutes. Beyond that the page is told, and loads its data again."</dd>
                </div>
                <div>
                    <dt>"Redis is away"</dt>
                    <dd>
                        "Each instance serves its own browsers and keeps what it could not pass on. It follows, in order, when Redis is back."
                    </dd>
                </div>
                <div>
                    <dt>"An instance dies"</dt>
                    <dd>"What it had acknowledged is in the log. Its browsers move to another instance and resume there."</dd>
                </div>
            </dl>
        </section>
        <section class="explain" aria-labelledby="patterns">
            <h2 id="patterns">"Design patterns"</h2>
            <dl class="facts">
                <div>
                    <dt>"Log and positions"</dt>
                    <dd>
                        "Each channel is an append-only log. A reader keeps its position, so any instance can serve it from there."
                    </dd>
                </div>
                <div>
                    <dt>"Transactional outbox"</dt>
                    <dd>
                        "A change and its announcement are saved together. What an instance could not announce, another one does."
                    </dd>
                </div>
                <div>
                    <dt>"Respond, then broadcast"</dt>
                    <dd>"Who asked gets the answer; everybody else hears afterwards. See the to-do list."</dd>
                </div>
                <div>
                    <dt>"Optimistic update"</dt>
                    <dd>"The page shows its own change at once and takes it back when the answer is no. See the cart."</dd>
                </div>
                <div>
                    <dt>"Cache with invalidation"</dt>
                    <dd>
                        "Memory, Redis, the store: a write marks the copy of every instance stale. See the configuration cache."
                    </dd>
                </div>
                <div>
                    <dt>"Bulkhead"</dt>
                    <dd>"Every socket has a bounded queue of its own: a slow one is closed and harms nobody else."</dd>
                </div>
                <div>
                    <dt>"Operational transformation"</dt>
                    <dd>"Edits that meet are moved past each other until all copies agree. See the collaborative editor."</dd>
                </div>
            </dl>
            <p>
                <PageLink href=address::PATTERNS>"Five patterns, live and with their source"</PageLink>
            </p>
        </section>
        <section class="explain" aria-labelledby="parts">
            <h2 id="parts">"The parts of an instance"</h2>
            <dl class="facts">
                <div>
                    <dt>"Pages"</dt>
                    <dd>"Rendered on the server, brought to life in the browser by the same Rust code."</dd>
                </div>
                <div>
                    <dt>"Relay"</dt>
                    <dd>"One WebSocket for each open page: subscriptions, limits, and a bounded queue."</dd>
                </div>
                <div>
                    <dt>"Hub"</dt>
                    <dd>"Puts messages in order, drops repeated ones, and hands each to whoever listens."</dd>
                </div>
                <div>
                    <dt>"Bus"</dt>
                    <dd>"Carries messages between instances: through Redis, or in memory when there is only one."</dd>
                </div>
            </dl>
        </section>
    }
    .into_any()
}
