//! Subscriptions over a WebSocket, by graphql-transport-ws
//! (github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). Who asks says so in the first message, and soon;
//! the socket is closed when their token ends.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::{WebSocket as Protocol, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _, future};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Instant, interval, sleep, timeout};

use super::endpoint;
use super::followed::Followed;
use super::media::Media;
use super::places::{Place, Places};
use super::refusal::Refusal;
use super::said::{LARGEST, Said};
use crate::auth::{Admitted, Tokens, WorkspaceId};

/// The name of the protocol.
const PROTOCOL: &str = "graphql-transport-ws";
/// Until it is said who asks.
const INIT: Duration = Duration::from_secs(5);
/// Until a message is taken by the other end.
const SEND: Duration = Duration::from_secs(10);
/// Between two signs of life, so that nobody on the way takes the socket for dead.
const ALIVE: Duration = Duration::from_secs(30);
/// What is taken in of a message, in bytes: enough to say of one that it is too large.
const TAKEN_IN: usize = 4 * LARGEST;
/// The longest reason that a close frame holds, in bytes (RFC 6455, section 5.5).
const REASON: usize = 123;
const MANY: &str = "too many sockets are open: close some, or follow several runs by one";

/// What sockets need.
pub(super) struct Sockets<E> {
    executor: E,
    tokens: Arc<Tokens>,
    places: Places<WorkspaceId>,
}

pub(super) async fn open<E: Executor>(
    State(sockets): State<Arc<Sockets<E>>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let opened = sockets.open(&headers, upgrade);
    opened.unwrap_or_else(|refusal| refusal.render(Media::Json))
}

impl<E: Executor> Sockets<E> {
    pub(super) fn new(executor: E, tokens: Arc<Tokens>) -> Self {
        Self { executor, tokens, places: Places::new() }
    }

    fn open(
        self: &Arc<Self>,
        headers: &HeaderMap,
        upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    ) -> Result<Response, Refusal> {
        check_origin(headers)?;
        let upgrade = upgrade.map_err(|_| {
            Refusal::bad("this address takes a WebSocket with the protocol graphql-transport-ws")
        })?;
        let upgrade = upgrade.protocols([PROTOCOL]);
        if upgrade.selected_protocol().is_none() {
            return Err(Refusal::bad(
                "open the WebSocket with the protocol graphql-transport-ws: no other is spoken here",
            ));
        }
        let place = self.places.of_stranger().ok_or_else(busy)?;
        let sockets = self.clone();
        let upgrade = upgrade.max_message_size(TAKEN_IN).max_frame_size(TAKEN_IN);
        Ok(upgrade.on_upgrade(move |socket| sockets.serve(socket, place)))
    }

    async fn serve(self: Arc<Self>, socket: WebSocket, mut place: Place) {
        let (mut out, incoming) = socket.split();
        let messages = incoming.take_while(|message| {
            future::ready(
                message.as_ref().is_ok_and(|message| !matches!(message, Message::Close(_))),
            )
        });
        let messages = messages.filter_map(|message| {
            future::ready(match message {
                Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
                Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
                _ => None,
            })
        });
        // One at a time, and what it leads to: many at once are not taken in before any is answered.
        let messages = messages.then(async |message| {
            yield_now().await;
            message
        });
        let said = Said::default();
        let (stop, mut stopped) = oneshot::channel();
        let messages = messages.scan((said.clone(), Some(stop)), |(said, stop), message| {
            future::ready(match said.take(&message) {
                Ok(message) => Some(Ok(message)),
                Err(ending) => {
                    let _ = stop.take().map(|stop| stop.send(ending));
                    None
                }
            })
        });
        let messages = Box::pin(messages);
        let (tell, mut told) = oneshot::channel();
        let tokens = self.tokens.clone();
        let places = self.places.clone();
        let executor = Followed::new(self.executor.clone());
        let graphql =
            Protocol::from_message_stream(executor, messages, WebSocketProtocols::GraphQLWS);
        let mut graphql = graphql.on_connection_init(move |payload: Value| async move {
            let Admitted { principal, left } = admit(&tokens, &payload)?;
            let place = places.of_workspace(principal.workspace).ok_or(MANY)?;
            let _ = tell.send((left, place));
            let mut data = Data::default();
            data.insert(principal);
            Ok(data)
        });
        let mut is_known = false;
        let mut end = Box::pin(sleep(INIT));
        let mut alive = interval(ALIVE);
        loop {
            let message = tokio::select! {
                biased;
                Ok((left, own)) = &mut told, if !is_known => {
                    is_known = true;
                    end.as_mut().reset(Instant::now() + left);
                    drop(std::mem::replace(&mut place, own));
                    continue;
                }
                () = &mut end => if is_known {
                    // After 4401 clients do not come back by themselves.
                    close(4403, "the token has expired: come back with another")
                } else {
                    close(4408, "nobody said who asks: send connection_init at once")
                },
                message = graphql.next() => match message {
                    Some(WsMessage::Text(_)) if said.is_echo() => continue,
                    Some(WsMessage::Text(text)) => Message::Text(text.into()),
                    Some(WsMessage::Close(code, reason)) => close(code_for(code), &reason),
                    None => match stopped.try_recv() {
                        Ok((code, reason)) => close(code, &reason),
                        // The other end has closed it, and waits to be told that this has, too.
                        Err(_) => {
                            let _ = timeout(SEND, out.close()).await;
                            return;
                        }
                    },
                },
                _ = alive.tick() => Message::Ping(Vec::new().into()),
            };
            let is_last = matches!(message, Message::Close(_));
            let sent = timeout(SEND, out.send(message)).await;
            if is_last || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// The code of the protocol for one that the library gives.
fn code_for(code: u16) -> u16 {
    match code {
        // What it calls a handshake that is not completed.
        1011 => 4401,
        // Whoever asked was not let in.
        1002 => 4403,
        other => other,
    }
}

fn close(code: u16, reason: &str) -> Message {
    let end = (0..=reason.len().min(REASON)).rev().find(|end| reason.is_char_boundary(*end));
    let reason = reason.get(..end.unwrap_or_default()).unwrap_or_default();
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

/// Who asks, by the token in the first message: `{ "Authorization": "Bearer ..." }`.
fn admit(tokens: &Tokens, payload: &Value) -> async_graphql::Result<Admitted> {
    let said = payload.get("Authorization").or_else(|| payload.get("authorization"));
    let token = said.and_then(Value::as_str).and_then(endpoint::bearer_token).ok_or(
        "there is no token: send {\"Authorization\": \"Bearer <token>\"} in connection_init",
    )?;
    Ok(tokens.admit(token)?)
}

/// A page of another site opens no socket here.
fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let origin = origin.as_ref().and_then(|origin| Some(origin.authority()?.as_str()));
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if origin.is_some() && origin == host {
        return Ok(());
    }
    let message = "a page of another site may not open this socket: serve the page and the API under \
                   one host";
    Err(Refusal::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

fn busy() -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "BUSY", MANY).with(header::RETRY_AFTER, "5")
}
