use std::rc::Rc;

use app::cluster::{News, OwnMessages, Subscription, installed};
use wire::ChannelError;

/// A `LiveResource` loads again by itself. What keeps a state of its own hears when messages are lost.
fn follow(load_again: fn()) -> Result<(), ChannelError> {
    // On the server there is no link.
    let Some(link) = installed() else { return Ok(()) };
    link.subscribe(Subscription {
        pattern: "view:myApp:note:*".parse()?,
        own: OwnMessages::Hear,
        since: None,
        on_message: Rc::new(|delivery| leptos::logging::log!("{:?}", delivery.data)),
        on_news: Rc::new(move |news| {
            if news == News::Gap {
                load_again();
            }
        }),
    });
    Ok(())
}
