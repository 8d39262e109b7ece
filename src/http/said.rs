//! What clients say over a socket: only what graphql-transport-ws has, and of each subscription that is open
//! one. The library takes more, and answers in ways that clients do not expect.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::Request;
use async_graphql::http::ClientMessage;
use serde::Deserialize;
use serde_json::Value;

/// The largest message, in bytes: no subscription comes near.
pub(super) const LARGEST: usize = 64 * 1024;

/// Why a socket is closed: the code and the reason.
pub(super) type Ending = (u16, String);

/// What was said over a socket so far; a clone is of the same.
#[derive(Clone, Default)]
pub(super) struct Said {
    /// The ids of the subscriptions that are open.
    ids: Arc<Mutex<BTreeSet<String>>>,
    /// Whether the library is about to say of a subscription that it is complete to whoever said so.
    echoes: Arc<AtomicBool>,
}

/// The id of a subscription, until it is dropped.
pub(super) struct Id {
    id: String,
    ids: Arc<Mutex<BTreeSet<String>>>,
}

/// What any message has.
#[derive(Deserialize)]
struct Form {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    payload: Option<Value>,
}

impl Form {
    fn is_right(&self) -> bool {
        let has_id = self.id.as_ref().is_some_and(|id| !id.is_empty());
        match self.kind.as_str() {
            "connection_init" | "ping" | "pong" => {
                self.payload.as_ref().is_none_or(Value::is_object)
            }
            "subscribe" => {
                let query = self.payload.as_ref().and_then(|payload| payload.get("query"));
                has_id && query.is_some_and(Value::is_string)
            }
            "complete" => has_id,
            _ => false,
        }
    }
}

impl Said {
    /// What a message says; or why the socket is closed.
    pub(super) fn take(&self, message: &[u8]) -> Result<ClientMessage, Ending> {
        if message.len() > LARGEST {
            return Err((1009, format!("a message has {LARGEST} bytes at most")));
        }
        let form: Result<Form, _> = serde_json::from_slice(message);
        let known =
            form.is_ok_and(|form| form.is_right()).then(|| ClientMessage::from_bytes(message));
        let Some(Ok(mut message)) = known else {
            return Err((4400, "this is no message of graphql-transport-ws".to_owned()));
        };
        match &mut message {
            ClientMessage::Start { id, payload } => {
                let Some(taken) = self.open(id) else {
                    return Err((4409, format!("Subscriber for {id} already exists")));
                };
                payload.data.insert(Arc::new(taken));
            }
            // The library says so of one that is open, at once.
            ClientMessage::Stop { id } => self.echoes.store(self.is_open(id), Ordering::Relaxed),
            _ => {}
        }
        Ok(message)
    }

    /// Whether the next message of the library only repeats what the client said. The client may have opened
    /// another subscription under that id, which it would take for complete.
    pub(super) fn is_echo(&self) -> bool {
        self.echoes.swap(false, Ordering::Relaxed)
    }

    fn open(&self, id: &str) -> Option<Id> {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = ids.insert(id.to_owned());
        is_new.then(|| Id { id: id.to_owned(), ids: self.ids.clone() })
    }

    fn is_open(&self, id: &str) -> bool {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).contains(id)
    }
}

impl Id {
    /// That of a request which came over a socket, to be kept as long as its answers are.
    pub(super) fn of(request: &Request) -> Option<Arc<Self>> {
        request.data.get(&TypeId::of::<Arc<Self>>())?.downcast_ref::<Arc<Self>>().cloned()
    }
}

impl Drop for Id {
    fn drop(&mut self) {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
