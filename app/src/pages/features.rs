//! Feature flags: administrators switch, open pages follow.

mod functions;

use leptos::prelude::*;

use crate::{
    cluster::LiveResource,
    components::{notice::FormOutcome, page::PageHeader, skeleton::Skeleton},
    error::Problem,
    feature::{Feature, SWITCHED},
    pages::{address, admin::Refused},
};

pub use functions::{ListFeatures, SwitchFeature, list_features, switch_feature};

/// Every feature, and a form for one that is new.
#[component]
pub fn FeaturesPage() -> impl IntoView {
    let features: LiveResource<Vec<Feature>, Problem> =
        LiveResource::new(SWITCHED, list_features, |list, switched, _| {
            apply(list, switched);
        });
    let switch = ServerAction::<SwitchFeature>::new();
    view! {
        <PageHeader title="Features" lead="Switched here, followed by every open page on every instance." />
        <FormOutcome />
        <Transition fallback=|| view! { <Skeleton lines=4 /> }>
            {move || features.get().map(|outcome| show(outcome, switch).into_any())}
        </Transition>
    }
    .into_any()
}

fn apply(list: &mut Vec<Feature>, switched: Feature) {
    match list.binary_search_by(|feature| feature.name.cmp(&switched.name)) {
        Ok(place) => list[place] = switched,
        Err(place) => list.insert(place, switched),
    }
}

fn show(outcome: Result<Vec<Feature>, Problem>, switch: ServerAction<SwitchFeature>) -> AnyView {
    match outcome {
        Ok(features) => {
            let is_empty = features.is_empty();
            let rows = features.into_iter().map(|feature| view! { <Row feature switch /> }).collect_view();
            let refused = move || {
                switch.value().get().and_then(Result::err).map(|problem: Problem| {
                    view! { <p class="notice notice-error" role="alert">{problem.to_string()}</p> }
                })
            };
            view! {
                <section class="card" aria-labelledby="features">
                    <h2 id="features">"All features"</h2>
                    {is_empty.then(|| view! { <p class="empty">"No feature was ever switched."</p> })}
                    <ul class="sessions" role="list" aria-labelledby="features">{rows}</ul>
                </section>
                <section class="card" aria-labelledby="new-feature">
                    <h2 id="new-feature">"Switch on another"</h2>
                    {refused}
                    <ActionForm action=switch attr:class="stacked-form">
                        <input type="hidden" name="to" value="on" />
                        <div class="field">
                            <label for="feature-name">"Name"</label>
                            <input
                                id="feature-name"
                                name="name"
                                type="text"
                                required
                                maxlength="100"
                                autocomplete="off"
                                spellcheck="false"
                            />
                        </div>
                        <button type="submit" class="button">
                            "Switch on"
                        </button>
                    </ActionForm>
                </section>
            }
            .into_any()
        }
        Err(problem) => view! { <Refused problem page=address::FEATURES /> }.into_any(),
    }
}

#[component]
fn Row(feature: Feature, switch: ServerAction<SwitchFeature>) -> impl IntoView {
    let Feature { name, enabled } = feature;
    let (state, to, verb) = if enabled { ("on", "off", "Switch off") } else { ("off", "on", "Switch on") };
    let label = format!("{verb} {name}");
    view! {
        <li class="session">
            <p>
                <strong>{name.clone()}</strong>
                " is "
                {state}
            </p>
            <ActionForm action=switch>
                <input type="hidden" name="name" value=name />
                <input type="hidden" name="to" value=to />
                <button type="submit" class="button button-secondary" aria-label=label>
                    {verb}
                </button>
            </ActionForm>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switched_feature_takes_its_place_once() {
        let feature = |name: &str, enabled| Feature { name: name.into(), enabled };
        let mut list = vec![feature("a", true), feature("c", false)];
        apply(&mut list, feature("b", true));
        apply(&mut list, feature("b", false));
        assert_eq!(list, [feature("a", true), feature("b", false), feature("c", false)]);
    }
}
