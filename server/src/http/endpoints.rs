//! WebSocket endpoints over REST: telling, asking, making.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};
use wire::{
    Code, check_data,
    endpoint::{Present, is_id},
};

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::JsonBody,
    visitor::{Admin, SignedIn},
};
use crate::endpoint::{CustomError, Definition, Endpoint, Endpoints, Post, Target};

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/api/1/broadcast", post(broadcast_anywhere))
        .route("/api/1/message/{userId}", post(message_anywhere))
        .route("/api/1/ws/stats", get(stats))
        .route("/api/1/ws/endpoints", get(list).post(define))
        .route("/api/1/ws/endpoints/{name}", axum::routing::delete(remove))
        .route("/api/1/ws/{endpoint}/broadcast", post(broadcast))
        .route("/api/1/ws/{endpoint}/user/{userId}", post(send_to_user))
        .route("/api/1/ws/{endpoint}/user/{userId}/online", get(online))
        .route("/api/1/ws/{endpoint}/room/{roomId}", post(send_to_room))
}

/// `{endpoint?, data}`: to everybody on it, or on every endpoint.
async fn broadcast_anywhere(Admin(user): Admin, State(site): State<Site>, JsonBody(mut body): JsonBody) -> Outcome {
    let told = tell_anywhere(&site.endpoints, &mut body, &user.username, &Target::Broadcast)?;
    Ok(Answer::data(json!({ "endpoints": told })).message("Broadcast sent"))
}

/// `{endpoint?, data}`: to every socket of a user on it, or on every endpoint.
async fn message_anywhere(
    Admin(user): Admin,
    State(site): State<Site>,
    Path(user_id): Path<String>,
    JsonBody(mut body): JsonBody,
) -> Outcome {
    let target = Target::User(checked_id(&user_id)?);
    let told = tell_anywhere(&site.endpoints, &mut body, &user.username, &target)?;
    Ok(Answer::data(json!({ "endpoints": told, "userId": user_id })).message("Message sent"))
}

/// `{message}`
async fn broadcast(
    Admin(user): Admin,
    State(site): State<Site>,
    Path(endpoint): Path<String>,
    JsonBody(mut body): JsonBody,
) -> Outcome {
    let endpoint = known(&site.endpoints, &endpoint)?;
    let data = data(&mut body, "message")?;
    tell(&site.endpoints, &endpoint, Target::Broadcast, data, &user.username);
    Ok(Answer::data(json!({ "endpoint": endpoint.name })).message("Broadcast sent"))
}

/// `{data}`
async fn send_to_user(
    Admin(user): Admin,
    State(site): State<Site>,
    Path((endpoint, user_id)): Path<(String, String)>,
    JsonBody(mut body): JsonBody,
) -> Outcome {
    let endpoint = known(&site.endpoints, &endpoint)?;
    let (target, data) = (Target::User(checked_id(&user_id)?), data(&mut body, "data")?);
    tell(&site.endpoints, &endpoint, target, data, &user.username);
    Ok(Answer::data(json!({ "endpoint": endpoint.name, "userId": user_id })).message("Message sent"))
}

/// `{data}`
async fn send_to_room(
    Admin(user): Admin,
    State(site): State<Site>,
    Path((endpoint, room_id)): Path<(String, String)>,
    JsonBody(mut body): JsonBody,
) -> Outcome {
    let endpoint = known(&site.endpoints, &endpoint)?;
    let (target, data) = (Target::Room(checked_id(&room_id)?), data(&mut body, "data")?);
    tell(&site.endpoints, &endpoint, target, data, &user.username);
    Ok(Answer::data(json!({ "endpoint": endpoint.name, "roomId": room_id })).message("Message sent"))
}

async fn online(_: SignedIn, State(site): State<Site>, Path((endpoint, user_id)): Path<(String, String)>) -> Outcome {
    let endpoint = known(&site.endpoints, &endpoint)?;
    let user_id = checked_id(&user_id)?;
    Ok(Answer::fields(site.endpoints.online(&endpoint, &user_id).await))
}

async fn stats(_: Admin, State(site): State<Site>) -> Outcome {
    Ok(Answer::fields(site.endpoints.stats()))
}

/// Every endpoint: those of the application, with `builtIn`, and those of administrators.
async fn list(_: Admin, State(site): State<Site>) -> Outcome {
    Ok(Answer::data(site.endpoints.entries().await?))
}

/// Makes one, or changes one of the same name.
async fn define(Admin(user): Admin, State(site): State<Site>, JsonBody(body): JsonBody) -> Outcome {
    let definition =
        Definition::parse(&body).map_err(|error| ApiError::bad_request(Code::ValidationError, error.to_string()))?;
    let is_new = site.endpoints.get(&definition.name).is_none();
    let made = site.endpoints.define(definition, &user.username).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(Answer::data(made).message("The endpoint is live").status(status))
}

async fn remove(_: Admin, State(site): State<Site>, Path(name): Path<String>) -> Outcome {
    site.endpoints.remove(&name).await?;
    Ok(Answer::done().message("The endpoint is gone"))
}

fn tell_anywhere(
    endpoints: &Endpoints,
    body: &mut Value,
    username: &str,
    target: &Target,
) -> Result<Vec<Arc<str>>, ApiError> {
    let named = match body.get("endpoint") {
        None | Some(Value::Null) => endpoints.all().into_values().collect(),
        Some(Value::String(name)) => vec![known(endpoints, name)?],
        Some(_) => return Err(ApiError::bad_request(Code::ValidationError, "`endpoint` is the name of an endpoint.")),
    };
    let data = data(body, "data")?;
    for endpoint in &named {
        tell(endpoints, endpoint, target.clone(), data.clone(), username);
    }
    Ok(named.into_iter().map(|endpoint| Arc::clone(&endpoint.name)).collect())
}

fn tell(endpoints: &Endpoints, endpoint: &Arc<Endpoint>, target: Target, data: Value, username: &str) {
    let from = Present { id: "".into(), username: username.into() };
    endpoints.send_as_server(endpoint, &Post { from, ..Post::new(target, data) });
}

fn known(endpoints: &Endpoints, name: &str) -> Result<Arc<Endpoint>, ApiError> {
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, Code::UnknownEndpoint, "There is no such endpoint.");
    endpoints.get(name).ok_or_else(unknown)
}

fn data(body: &mut Value, field: &str) -> Result<Value, ApiError> {
    let refuse = |why: String| ApiError::bad_request(Code::InvalidData, why);
    let data = body.get_mut(field).map(Value::take).ok_or_else(|| refuse(format!("`{field}` is missing.")))?;
    check_data(&data).map_err(|error| refuse(format!("`{field}`: {error}.")))?;
    Ok(data)
}

fn checked_id(id: &str) -> Result<Arc<str>, ApiError> {
    if is_id(id) {
        return Ok(id.into());
    }
    Err(ApiError::bad_request(Code::InvalidId, "An id has 1 to 80 letters, digits, `_`, `.`, `:` or `-`."))
}

impl From<CustomError> for ApiError {
    fn from(error: CustomError) -> Self {
        let text = error.to_string();
        match error {
            CustomError::Taken => Self::new(StatusCode::CONFLICT, Code::EndpointExists, text),
            CustomError::Unknown => Self::new(StatusCode::NOT_FOUND, Code::UnknownEndpoint, text),
            CustomError::TooMany => Self::new(StatusCode::CONFLICT, Code::ValidationError, text),
            CustomError::Store(error) => error.into(),
        }
    }
}
