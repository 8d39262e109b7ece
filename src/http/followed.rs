//! What may be asked over a socket: subscriptions, and only so many at a time.

use std::sync::Arc;

use async_graphql::parser::types::{OperationType, Selection};
use async_graphql::{Data, ErrorExtensionValues, Executor, Request, Response, ServerError};
use futures_util::future;
use futures_util::stream::{BoxStream, StreamExt as _, once};
use tokio::sync::Semaphore;

use super::outcome;
use super::said::Id;

/// How many subscriptions a socket may have open.
const AT_ONCE: usize = 20;

/// Executes the subscriptions of one socket.
#[derive(Clone)]
pub(super) struct Followed<E> {
    executor: E,
    places: Arc<Semaphore>,
}

impl<E: Executor> Followed<E> {
    pub(super) fn new(executor: E) -> Self {
        Self { executor, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl<E: Executor> Executor for Followed<E> {
    async fn execute(&self, _request: Request) -> Response {
        refuse("SUBSCRIPTIONS_ONLY", ONLY)
    }

    fn execute_stream(
        &self,
        mut request: Request,
        session_data: Option<Arc<Data>>,
    ) -> BoxStream<'static, Response> {
        let id = Id::of(&request);
        let place = self.places.clone().try_acquire_owned();
        let events = match (fault(&mut request), &place) {
            (Some((code, message)), _) => once(future::ready(refuse(code, message))).boxed(),
            (None, Err(_)) => once(future::ready(refuse("LIMIT_EXCEEDED", MANY))).boxed(),
            (None, Ok(_)) => self.executor.execute_stream(request, session_data),
        };
        let label = move |mut event: Response| {
            // Kept until nobody follows any more.
            let _ = (&place, &id);
            event.errors.iter_mut().for_each(outcome::label);
            event
        };
        events.map(label).boxed()
    }
}

/// Nothing but subscriptions, each to one thing (spec.graphql.org/October2021, section 5.2.3.1). What
/// can't be parsed is refused by the executor, which says why.
fn fault(request: &mut Request) -> Option<(&'static str, &'static str)> {
    let document = request.parsed_query().ok()?;
    for (_, operation) in document.operations.iter() {
        if operation.node.ty != OperationType::Subscription {
            return Some(("SUBSCRIPTIONS_ONLY", ONLY));
        }
        let selected = &operation.node.selection_set.node.items;
        if !matches!(selected.as_slice(), [one] if matches!(one.node, Selection::Field(_))) {
            return Some(("BAD_QUERY", ONE));
        }
    }
    None
}

const ONE: &str = "a subscription is to one field, and to that directly: send one for each";
const ONLY: &str = "only subscriptions are taken over the socket: send queries and mutations by POST \
                    to /graphql";
const MANY: &str = "20 subscriptions are open on this socket, and no more are allowed: complete some \
                    first";

fn refuse(code: &str, message: &str) -> Response {
    let mut error = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    Response::from_errors(vec![error])
}
