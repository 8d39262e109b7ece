//! Mutations that may be sent again without being done again; an extension for a schema.
//!
//! A mutation that was given a key is claimed before it is executed. Once it has done something its
//! answer is kept, and whoever sends it again gets that; until then it is not cut off, even if nobody
//! waits for it. One that was refused has done nothing: it may be sent again with the same key.

mod fault;
mod key;

use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextPrepareRequest,
};
use async_graphql::{Context, Data, Request, Response, ServerResult};
use async_trait::async_trait;

use super::Services;
use crate::auth::Principal;
use crate::idempotency::{Begun, Cancellation, Error, Key};
use crate::store::Claim;
use fault::{error, masked, told};

/// Does mutations with a key once.
#[derive(Clone, Copy)]
pub(super) struct Once;

/// A mutation that is to be done once.
struct Attempt {
    key: Key,
    /// What is asked.
    request: Vec<u8>,
    /// Whether it has done what it was to do.
    is_done: AtomicBool,
}

/// Notes that the mutation has done what it was to do.
pub(super) fn note_done(ctx: &Context<'_>) {
    if let Some(attempt) = ctx.data_opt::<Attempt>() {
        attempt.is_done.store(true, Ordering::SeqCst);
    }
}

impl ExtensionFactory for Once {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait]
impl Extension for Once {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let mut request = next.run(ctx, request).await?;
        // Whoever may only read does nothing, and leaves no claim.
        if found::<Principal>(&request.data).is_some_and(|who| who.role.may_write()) {
            let header = found::<Key>(&request.data).cloned();
            if let Some(key) = key::of(&mut request, header)? {
                let (asked, is_done) = (key::content(&request), AtomicBool::new(false));
                request.data.insert(Attempt { key, request: asked, is_done });
            }
        }
        Ok(request)
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let (Some(attempt), Some(who), Some(services)) =
            (ctx.data_opt::<Attempt>(), ctx.data_opt::<Principal>(), ctx.data_opt::<Services>())
        else {
            return next.run(ctx, operation_name).await;
        };
        let cancellation = ctx.data_opt::<Cancellation>();
        if cancellation.is_some_and(|cancellation| !cancellation.forbid()) {
            let message = "nobody waits for this any more: it was not done";
            return Response::from_errors(vec![error("TIMEOUT", message.to_owned())]);
        }
        let requests = &services.idempotency;
        let begun =
            requests.begin(who.workspace, &who.subject, &attempt.key, &attempt.request).await;
        let claim = match begun {
            Ok(Begun::First(claim)) => claim,
            Ok(Begun::Before(answer)) => return read(&answer),
            Err(error) => return Response::from_errors(vec![told(&error)]),
        };
        let response = next.run(ctx, operation_name).await;
        let is_done = attempt.is_done.load(Ordering::SeqCst);
        if let Err(error) = end(services, &claim, &response, is_done).await {
            eprintln!("the answer to a request with an idempotency key is not kept: {error}");
        }
        response
    }
}

fn found<T: Send + Sync + 'static>(data: &Data) -> Option<&T> {
    data.get(&TypeId::of::<T>())?.downcast_ref()
}

/// Keeps the answer of a request that was done, and gives up one that was not.
async fn end(
    services: &Services,
    claim: &Claim,
    response: &Response,
    is_done: bool,
) -> Result<(), Error> {
    if !is_done {
        return services.idempotency.give_up(claim).await;
    }
    let mut kept = Response::new(response.data.clone());
    if response.is_err() {
        // What went wrong then, while its result was read, may be well again.
        let message = "this was done when it was sent first, but not all of its answer could be \
                       read: ask for the rest by a query";
        kept.errors.push(error("ANSWER_INCOMPLETE", message.to_owned()));
    }
    // Keys of JSON are texts here: it can always be written.
    let text = serde_json::to_vec(&kept).unwrap_or_default();
    services.idempotency.answer(claim, &text).await
}

/// An answer that was kept.
fn read(answer: &[u8]) -> Response {
    serde_json::from_slice(answer).unwrap_or_else(|error| {
        // Its text would quote the answer.
        let fault =
            std::io::Error::other(format!("a kept answer is no JSON: {:?}", error.classify()));
        Response::from_errors(vec![masked(&fault)])
    })
}
