use app::components::toast::{Level, use_toasts};
use leptos::{html, prelude::*};

#[component]
fn Leave() -> impl IntoView {
    let toasts = use_toasts();
    let dialog = NodeRef::<html::Dialog>::new();
    let ask = move |_| {
        if let Some(dialog) = dialog.get() {
            // Out of the page, there is nobody to ask.
            let _ = dialog.show_modal();
        }
    };
    view! {
        <button on:click=ask>"Leave"</button>
        <dialog node_ref=dialog aria-labelledby="leave" on:close=move |_| toasts.show(Level::Success, "Saved")>
            <h2 id="leave">"Save and leave?"</h2>
            <form method="dialog">
                <button>"Save"</button>
            </form>
        </dialog>
    }
}
