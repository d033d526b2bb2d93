//! A shop's HTTP service on one vault, with axum.
//!
//! Shows: taking an order, a courier's view as JSON, support's search, changing with `If-Match`, where the blocking calls run,
//! which kind of error is which status, and stopping without losing a request.
//!
//! ```sh
//! cargo run --example backend                        # starts, calls itself, checks the answers, stops
//! cargo run --example backend -- serve 127.0.0.1:8080  # serves; docs/adopting.md has the lines for curl
//! ```
//!
//! Leaves out: TLS, real authentication (a token here is a name in a table), and a vault that outlives the program: yours is
//! `Vault::unlock(folder, &KeyFile::read(path)?)`, once per process.
#![allow(clippy::print_stdout)]

use std::{
    error::Error,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequestParts, Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use consignee::{ErrorKind, Order, OrderForCourier, Patch, Put, Setup, Vault};
use serde_json::json;

fn router(vault: Vault) -> Router {
    Router::new()
        .route("/orders", post(check_out))
        .route("/orders/{order}", get(whole_order).patch(change))
        .route("/courier/parcels/{order}", get(parcel))
        .route("/support/search", post(search))
        .layer(DefaultBodyLimit::max(Order::MAX_JSON))
        // A Vault is a handle: a clone for each request costs a counter, and all of them are one vault.
        .with_state(vault)
}

/// Who asks. The purpose is the endpoint's, never the caller's to choose.
struct Caller(&'static str);

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let token = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match token.and_then(|token| token.strip_prefix("Bearer ")) {
            Some("shop-token") => Ok(Self("shop")),
            Some("courier-token") => Ok(Self("SF Express")),
            Some("agent-token") => Ok(Self("agent 17")),
            _ => Err(StatusCode::UNAUTHORIZED),
        }
    }
}

/// Runs a call into the vault where it may block: it waits for disks and for other writers, up to 10 seconds. On a worker thread
/// of the runtime, that would hold up every other request of the thread.
///
/// What has begun is finished, even if the client hangs up meanwhile: nothing of a put or an update is cancelled half-way.
async fn on_vault<T: Send + 'static>(
    vault: Vault,
    call: impl FnOnce(&Vault) -> consignee::Result<T> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(move || call(&vault)).await {
        Ok(done) => Ok(done?),
        Err(_panicked) => Err(Failure(StatusCode::INTERNAL_SERVER_ERROR, "internal".to_owned())),
    }
}

/// `POST /orders`. The order is read strictly: what is wrong comes back as a path, and never the value.
async fn check_out(
    State(vault): State<Vault>,
    Caller(party): Caller,
    body: String,
) -> Result<Response, Failure> {
    only_the_shop(party)?;
    let put = on_vault(vault, move |vault| vault.put(&Order::from_json(&body, &*vault.policy()?)?)).await?;
    // A client that repeats itself after a lost answer is told the same, and nothing is stored twice.
    Ok(match put {
        Put::Stored(_) => StatusCode::CREATED.into_response(),
        Put::Unchanged(_) => StatusCode::OK.into_response(),
    })
}

/// `GET /orders/{order}`: the whole order, for the shop itself, with its revision as the tag.
async fn whole_order(
    State(vault): State<Vault>,
    Caller(party): Caller,
    Path(order): Path<String>,
) -> Result<Response, Failure> {
    let seen = on_vault(vault, move |vault| vault.get::<Order>(party, "operation", &order)).await?;
    Ok((tag(seen.revision), Json(seen.to_json())).into_response())
}

/// `PATCH /orders/{order}` with `If-Match: "REVISION"`: whoever changes an order says which one he has read.
async fn change(
    State(vault): State<Vault>,
    Caller(party): Caller,
    Path(order): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Result<Response, Failure> {
    only_the_shop(party)?;
    let expected =
        headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()?.trim_matches('"').parse().ok());
    let Some(expected) = expected else {
        return Err(Failure(
            StatusCode::PRECONDITION_REQUIRED,
            "If-Match: \"REVISION\" is missing".to_owned(),
        ));
    };
    let revision = on_vault(vault, move |vault| {
        vault.update_as::<Order>(&order, expected, Patch::from_json(&body, &*vault.policy()?)?)
    });
    Ok((StatusCode::NO_CONTENT, tag(revision.await?)).into_response())
}

/// `GET /courier/parcels/{order}`: a courier's view, which has no field for what a courier may not know. `order` is the alias that
/// the courier knows it by, or the number.
async fn parcel(
    State(vault): State<Vault>,
    Caller(party): Caller,
    Path(order): Path<String>,
) -> Result<Response, Failure> {
    let seen = on_vault(vault, move |vault| vault.open_as::<OrderForCourier>(party, &order)).await?;
    let body = json!({ "alias": seen.alias.to_string(), "parcel": seen.value });
    Ok((tag(seen.revision), Json(body)).into_response())
}

/// `POST /support/search` with `{"phone":"…"}`. In the body, because paths and queries end up in access logs.
async fn search(
    State(vault): State<Vault>,
    Caller(party): Caller,
    Json(query): Json<SearchQuery>,
) -> Result<Response, Failure> {
    let call = move |vault: &Vault| vault.find(party, "after_sale", "consignee.phone", &query.phone);
    let hits = on_vault(vault, call).await.map_err(|failure| match failure {
        // Here a limit is the party's budget.
        Failure(StatusCode::PAYLOAD_TOO_LARGE, message) => Failure(StatusCode::TOO_MANY_REQUESTS, message),
        other => other,
    })?;
    let aliases: Vec<String> = hits.hits.iter().map(|hit| hit.alias.to_string()).collect();
    Ok(Json(json!({ "orders": aliases, "unreadable": hits.unreadable })).into_response())
}

#[derive(serde::Deserialize)]
struct SearchQuery {
    phone: String,
}

/// Changing and putting are not in the policy, which says who opens what: who may write is for the service to say.
fn only_the_shop(party: &str) -> Result<(), Failure> {
    if party == "shop" { Ok(()) } else { Err(Failure(StatusCode::FORBIDDEN, "only the shop".to_owned())) }
}

fn tag(revision: u32) -> [(header::HeaderName, HeaderValue); 1] {
    let value = HeaderValue::try_from(format!("\"{revision}\""));
    [(header::ETAG, value.unwrap_or(HeaderValue::from_static("\"0\"")))]
}

/// What the client is told: a status and a line.
struct Failure(StatusCode, String);

/// Which kind of error is which status.
fn status(kind: &ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::NotPermitted | ErrorKind::Expired | ErrorKind::Revoked => StatusCode::FORBIDDEN,
        ErrorKind::NotFound | ErrorKind::Absent => StatusCode::NOT_FOUND,
        ErrorKind::Shredded => StatusCode::GONE,
        ErrorKind::Conflict | ErrorKind::Exists => StatusCode::CONFLICT,
        ErrorKind::Limit => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Input { .. } => StatusCode::BAD_REQUEST,
        // Repeat later: another writer, or a full disk.
        ErrorKind::Locked | ErrorKind::Storage => StatusCode::SERVICE_UNAVAILABLE,
        // For the operator: a wrong key, damaged or rolled-back files, a program built for another policy.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<consignee::Error> for Failure {
    fn from(error: consignee::Error) -> Self {
        let status = status(error.kind());
        if status.is_server_error() {
            // Errors hold no value, key or order number: they may be logged as they are. Views may not.
            println!("error  {}: {error}", error.kind().name());
            return Self(status, error.kind().name().to_owned());
        }
        Self(status, error.to_string())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

fn vault() -> consignee::Result<Vault> {
    let vault = Vault::in_memory(&Setup::default())?;
    vault.add_party("shop", "platform", None)?;
    vault.add_party("SF Express", "courier", None)?;
    vault.add_party("agent 17", "support", None)?;
    Ok(vault)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let address = match arguments.as_slice() {
        [] => "127.0.0.1:0",
        ["serve", address] => address,
        _ => return Err("backend [serve ADDRESS]".into()),
    };
    // Unlocking blocks, too: a passphrase takes about a second.
    let vault = tokio::task::spawn_blocking(vault).await??;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let at = listener.local_addr()?;
    println!("serving on http://{at}");
    if !arguments.is_empty() {
        return Ok(serve(listener, vault, interrupted()).await?);
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, vault, async move { drop(stopped.await) }));
    tokio::task::spawn_blocking(move || call_yourself(at)).await?;
    drop(stop);
    server.await??;
    println!("stopped");
    Ok(())
}

/// Serves until `stop`: then no new connection is taken, and what has begun is answered. The last clone of the vault goes with the
/// router; there is nothing to close, as every acknowledged call is on the disk.
async fn serve(
    listener: tokio::net::TcpListener,
    vault: Vault,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(vault)).with_graceful_shutdown(stop).await
}

/// Ctrl-C, or what a service manager sends.
async fn interrupted() {
    #[cfg(unix)]
    if let Ok(mut terminated) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    drop(tokio::signal::ctrl_c().await);
}

// ---- The service's own test ---------------------------------------------------------------------------------------------------

const ORDER: &str = r#"{"order_no":"SO-1001","placed_at":"2026-11-11T20:14:05+08:00",
    "consignee":{"name":"王小明","phone":"13812345678","address":{"lines":["中山路 1 号"],"city":"南京","country":"CN"}},
    "items":[{"sku":"T-1","title":"Teapot","quantity":1,"unit_price":"88.00","supplier":"Yixing"}],
    "amount":{"value":"88.00","currency":"CNY"}}"#;

fn call_yourself(at: SocketAddr) {
    let shop = |call, more: &str, body: &str| request(at, call, "shop-token", more, body);
    assert_eq!(shop("POST /orders", "", ORDER).status, 201);
    assert_eq!(shop("POST /orders", "", ORDER).status, 200, "repeated");
    assert_eq!(shop("POST /orders", "", &ORDER.replace("Teapot", "Kettle")).status, 409, "another order");
    let wrong = shop("POST /orders", "", &ORDER.replace("88.00\",\"cur", "88,00\",\"cur"));
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("amount") && !wrong.body.contains("88,00"), "{}", wrong.body);
    assert_eq!(request(at, "POST /orders", "courier-token", "", ORDER).status, 403);
    assert_eq!(request(at, "GET /orders/SO-1001", "no-token", "", "").status, 401);

    let parcel = request(at, "GET /courier/parcels/SO-1001", "courier-token", "", "");
    assert_eq!(parcel.status, 200);
    assert!(parcel.body.contains("王小明") && !parcel.body.contains("Teapot"), "{}", parcel.body);
    let json: serde_json::Value = serde_json::from_str(&parcel.body).unwrap_or_default();
    let by_alias = format!("GET /courier/parcels/{}", json["alias"].as_str().unwrap_or_default());
    assert_eq!(request(at, &by_alias, "courier-token", "", "").body, parcel.body);
    assert_eq!(
        request(at, "GET /courier/parcels/SO-1001", "agent-token", "", "").status,
        403,
        "not a courier"
    );
    assert_eq!(request(at, "GET /courier/parcels/SO-7", "courier-token", "", "").status, 404);

    let search = r#"{"phone":"+86 138 1234 5678"}"#;
    let typed = "Content-Type: application/json\r\n";
    let found = request(at, "POST /support/search", "agent-token", typed, search);
    assert_eq!(found.status, 200);
    assert!(found.body.contains("\"orders\":[\"") && !found.body.contains("138"), "{}", found.body);
    assert_eq!(request(at, "POST /support/search", "courier-token", typed, search).status, 403);
    let spent =
        (1..60).map(|_| request(at, "POST /support/search", "agent-token", typed, search).status).max();
    assert_eq!(spent, Some(200));
    assert_eq!(request(at, "POST /support/search", "agent-token", typed, search).status, 429, "the budget");

    let patch = r#"{"consignee":{"phone":"13999990000"},"note":"ring twice"}"#;
    assert_eq!(shop("PATCH /orders/SO-1001", "", patch).status, 428);
    let changed = shop("PATCH /orders/SO-1001", "If-Match: \"1\"\r\n", patch);
    assert!(changed.status == 204 && changed.head.contains("etag: \"2\""), "{}", changed.head);
    assert_eq!(shop("PATCH /orders/SO-1001", "If-Match: \"1\"\r\n", patch).status, 409);
    let whole = shop("GET /orders/SO-1001", "", "");
    assert!(whole.body.contains("13999990000") && whole.body.contains("ring twice"), "{}", whole.body);
    println!("all answers are as they should be");
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// One request over one connection. `more` is further lines of the head.
fn request(at: SocketAddr, call: &str, token: &str, more: &str, body: &str) -> Answer {
    let head = format!(
        "{call} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}Content-Length: {}\r\n\r\n",
        body.len()
    );
    let exchange = || {
        let mut stream = TcpStream::connect(at)?;
        stream.write_all([head.as_str(), body].concat().as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = exchange().unwrap_or_else(|error| panic!("{call}: {error}"));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer.as_str(), ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
    println!("{:<40} {}", format!("{call} "), answer.status);
    answer
}
