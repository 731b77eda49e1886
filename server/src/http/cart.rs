//! The shopping cart of whoever is signed in, over REST.

use app::{
    account::User,
    cart::{Cart, CartChange, Product, Quantity, Request},
    carts,
    ports::Ports,
};
use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post, put},
};
use http::StatusCode;
use serde_json::{Value, json};
use wire::Code;

use super::{
    answer::{Answer, ApiError, Outcome},
    body::JsonBody,
    visitor::SignedIn,
};

/// `/api/1/cart` and what is below it.
pub fn routes() -> Router<Ports> {
    Router::new()
        .route("/api/1/cart", get(read))
        .route("/api/1/cart/add", post(add))
        .route("/api/1/cart/items/{productId}", put(set).delete(remove))
}

async fn read(SignedIn(user): SignedIn, State(ports): State<Ports>) -> Outcome {
    Ok(shown(&carts::read(&ports, &user).await?))
}

/// With a `requestId`, a request that is sent twice counts once.
async fn add(SignedIn(user): SignedIn, State(ports): State<Ports>, JsonBody(body): JsonBody) -> Outcome {
    let Some(product) = body.get("productId").and_then(Value::as_str) else {
        return Err(invalid("`productId` names a product."));
    };
    let request = match body.get("requestId") {
        None | Some(Value::Null) => None,
        Some(name) => {
            let name = name.as_str().and_then(Request::parse);
            Some(name.ok_or_else(|| invalid("`requestId` is a text of 1 to 64 characters."))?)
        }
    };
    let change = CartChange::Add { product: known(product)?, quantity: quantity(&body)?, request };
    changed(&ports, &user, change).await
}

async fn set(
    SignedIn(user): SignedIn,
    State(ports): State<Ports>,
    Path(product): Path<String>,
    JsonBody(body): JsonBody,
) -> Outcome {
    let change = CartChange::Set { product: known(&product)?, quantity: quantity(&body)? };
    changed(&ports, &user, change).await
}

async fn remove(SignedIn(user): SignedIn, State(ports): State<Ports>, Path(product): Path<String>) -> Outcome {
    changed(&ports, &user, CartChange::Set { product: known(&product)?, quantity: Quantity::NONE }).await
}

async fn changed(ports: &Ports, user: &User, change: CartChange) -> Outcome {
    Ok(shown(&carts::change(ports, user, change).await?))
}

/// The cart with what programs would else look up.
fn shown(cart: &Cart) -> Answer {
    let items: Vec<Value> = cart
        .lines()
        .map(|(product, quantity)| {
            json!({ "productId": product.id, "name": product.name, "cents": product.cents, "quantity": quantity })
        })
        .collect();
    Answer::fields(json!({ "cart": {
        "id": cart.id,
        "version": cart.version,
        "itemCount": cart.item_count(),
        "totalCents": cart.total_cents(),
        "items": items,
    } }))
}

fn known(product: &str) -> Result<&'static Product, ApiError> {
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such product.");
    Product::find(product).ok_or_else(unknown)
}

fn quantity(body: &Value) -> Result<Quantity, ApiError> {
    let number = body.get("quantity").and_then(Value::as_u64).and_then(Quantity::parse);
    number.ok_or_else(|| invalid(&format!("`quantity` is a whole number from 0 to {}.", Quantity::MOST)))
}

fn invalid(error: &str) -> ApiError {
    ApiError::bad_request(Code::ValidationError, error)
}
