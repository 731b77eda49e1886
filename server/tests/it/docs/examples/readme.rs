//! README.md.

use app::{
    channel,
    cluster::{LiveResource, TypedChannel},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Serialize, Deserialize)]
struct News {
    id: u64,
    text: String,
}

#[server]
async fn list_news() -> Result<Vec<News>, ServerFnError> {
    Ok(Vec::new())
}

/// Where news are announced. A malformed name does not compile.
const NEWS: TypedChannel<News> = channel!("view:myApp:news:published");

#[component]
pub fn NewsPage() -> impl IntoView {
    let news = LiveResource::new(NEWS, list_news, |list: &mut Vec<News>, item, _| {
        // It may be in the list already.
        if list.iter().all(|known| known.id != item.id) {
            list.insert(0, item);
        }
    });
    view! {
        <Transition>
            <For each=move || news.get().and_then(Result::ok).unwrap_or_default() key=|item| item.id let:item>
                <p>{item.text}</p>
            </For>
        </Transition>
    }
}
