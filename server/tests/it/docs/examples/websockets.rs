//! docs/WEBSOCKETS.md.

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
