//! docs/WEBSOCKETS.md.

#![expect(clippy::default_constructed_unit_structs, reason = "a handler of a site's own has something in it")]

use std::{error::Error, sync::Arc};

use server::{
    Instance,
    config::Config,
    endpoint::{Auth, Handler, Rule},
};

#[derive(Default)]
struct Tables;

impl Handler for Tables {}

async fn start(config: Config) -> Result<(), Box<dyn Error>> {
    let instance = Instance::bind(config).await?;
    instance.endpoints().register("tables/{table}", Rule::new(Auth::User), Arc::new(Tables::default()))?;
    Ok(())
}
