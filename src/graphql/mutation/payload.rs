//! The answers of mutations: what was done, or what a person has to mend.

use async_graphql::{Context, SimpleObject};

use crate::graphql::error::{Failure, Outcome, UserError};
use crate::graphql::once::note_done;
use crate::graphql::types::{
    Account, App, AppRegistration, Authorization, Connection, ConnectionDraft, Delivery, Issue,
    Plan, ReviewResult, Webhook,
};

/// What a mutation answers. A surprise becomes an error of the request.
pub(super) fn answer<T, P: From<Result<T, UserError>>>(
    ctx: &Context<'_>,
    outcome: Outcome<T>,
) -> async_graphql::Result<P> {
    match outcome {
        Ok(done) => {
            note_done(ctx);
            Ok(Ok(done).into())
        }
        Err(Failure::Refused(error)) => Ok(Err(error).into()),
        Err(Failure::Broken(error)) => Err(error),
    }
}

/// The same, of a mutation of something that was named in this argument.
pub(super) fn answer_about<T, P: From<Result<T, UserError>>>(
    ctx: &Context<'_>,
    argument: &str,
    outcome: Outcome<T>,
) -> async_graphql::Result<P> {
    answer(ctx, outcome.map_err(|failure| failure.named_at(argument)))
}

macro_rules! payload {
    ($(#[$doc:meta])* $name:ident, $field:ident: $type:ty, $about:literal) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            #[doc = $about]
            $field: Option<$type>,
            /// What has to be mended; then nothing was done.
            user_errors: Vec<UserError>,
        }

        impl From<Result<$type, UserError>> for $name {
            fn from(result: Result<$type, UserError>) -> Self {
                match result {
                    Ok(done) => Self { $field: Some(done), user_errors: Vec::new() },
                    Err(error) => Self { $field: None, user_errors: vec![error] },
                }
            }
        }
    };
}

payload!(
    /// The answer of a mutation of an account.
    AccountPayload, account: Account, "The account."
);
payload!(
    /// The answer of a mutation that begins to authorize an account.
    AuthorizationPayload, authorization: Authorization, "How it goes on."
);
payload!(
    /// The answer of a mutation of an OAuth client.
    AppRegistrationPayload, app_registration: AppRegistration, "The client."
);
payload!(
    /// The answer of a mutation of what is registered with an app.
    AppPayload, app: App, "The app."
);
payload!(
    /// The answer of a mutation of a connection.
    ConnectionPayload, connection: Connection, "The connection."
);
payload!(
    /// The answer of a mutation of a draft.
    DraftPayload, draft: ConnectionDraft, "The draft."
);
payload!(
    /// The answer of a review.
    ReviewPayload, review: ReviewResult, "What was found."
);
payload!(
    /// The answer of a decision upon a plan.
    PlanPayload, plan: Plan, "The plan."
);
payload!(
    /// The answer of a mutation of an issue.
    IssuePayload, issue: Issue, "The issue."
);
payload!(
    /// The answer of a mutation of a webhook.
    WebhookPayload, webhook: Webhook, "The webhook."
);
payload!(
    /// The answer of a mutation of a delivery.
    DeliveryPayload, delivery: Delivery, "The delivery."
);
payload!(
    /// The answer of a mutation of many deliveries.
    DeliveriesPayload, count: u64, "How many they are."
);
payload!(
    /// The answer of a mutation that leaves nothing.
    DonePayload, done: bool, "Always true."
);
