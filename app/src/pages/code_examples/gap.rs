use std::rc::Rc;

use app::cluster::{News, OwnMessages, Repairs, Subscription, installed};
use wire::ChannelError;

/// A `LiveResource` loads again by itself. What keeps a state of its own has `Repairs`, made with
/// `Repairs::new(load)`: they call `load` when it is time, and again until it succeeds.
fn follow(repairs: Repairs) -> Result<(), ChannelError> {
    // On the server there is no link.
    let Some(link) = installed() else { return Ok(()) };
    link.subscribe(Subscription {
        pattern: "view:myApp:note:*".parse()?,
        own: OwnMessages::Hear,
        since: None,
        on_message: Rc::new(move |delivery| {
            leptos::logging::log!("{:?}", delivery.data);
            repairs.applied(&delivery.meta);
        }),
        on_news: Rc::new(move |news| {
            if news == News::Gap {
                repairs.lost();
            }
        }),
    });
    Ok(())
}
