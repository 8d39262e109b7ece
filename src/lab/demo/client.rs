//! A client of the public API: what anybody would write.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use super::Server;
use crate::net::{self, Http, Method, Request};

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(60);
/// How often it is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A client of one server.
pub struct Client {
    http: Http,
    url: String,
    token: SecretString,
}

/// What a person would have to mend, as the API told it.
#[derive(Debug, thiserror::Error)]
#[error("{mutation}: {}", Json::from(errors.clone()))]
pub(super) struct Refused {
    mutation: String,
    errors: Vec<Json>,
}

impl Refused {
    /// Whether any of these is the reason.
    pub(super) fn is_any(&self, codes: &[&str]) -> bool {
        let mut told = self.errors.iter().filter_map(|error| error.get("code")?.as_str());
        told.any(|code| codes.contains(&code))
    }
}

impl Client {
    /// A client of this server.
    ///
    /// # Errors
    /// If the machine has no certificates to check servers by.
    pub fn new(server: &Server) -> Result<Self> {
        let url = format!("{}/graphql", server.address.trim_end_matches('/'));
        Ok(Self { http: Http::new()?, url, token: server.token.clone() })
    }

    /// Waits until the server answers.
    pub(super) async fn wait(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            match self.ask("{ apps { slug } }", json!({})).await {
                Ok(_) => return Ok(()),
                Err(error) => {
                    let is_starting = error.downcast_ref::<net::Error>().is_some();
                    if !is_starting || begun.elapsed() > START_MAX {
                        let url = &self.url;
                        return Err(error.context(format!("no answer from {url}: is it running?")));
                    }
                }
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Asks. Gives the data.
    ///
    /// # Errors
    /// If the server does not answer, or the request has errors.
    pub async fn ask(&self, query: &str, variables: Json) -> Result<Json> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let bearer = SecretString::from(format!("Bearer {}", self.token.expose_secret()));
        let request = Request::new(Method::Post, self.url.as_str())
            .authorization(bearer)
            .body("application/json", body);
        let answer = self.http.send(request).await?;
        let mut body: Json = serde_json::from_slice(&answer.body).context("no JSON")?;
        if let Some(errors) = body.get("errors") {
            bail!("the API refused: {errors}");
        }
        Ok(body.get_mut("data").map(Json::take).unwrap_or_default())
    }

    /// Does: a mutation named `name` with its `input`. Gives the payload; what a person would have to
    /// mend is an error.
    ///
    /// # Errors
    /// If the server does not answer, or refuses.
    pub async fn act(&self, name: &str, kind: &str, answer: &str, input: Json) -> Result<Json> {
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {answer} userErrors {{ code message detail }} }} }}"
        );
        let mut data = self.ask(&query, json!({ "input": input })).await?;
        let payload = data.get_mut(name).map(Json::take).unwrap_or_default();
        match payload.get("userErrors").and_then(Json::as_array) {
            Some(errors) if errors.is_empty() => Ok(payload),
            Some(errors) => {
                Err(Refused { mutation: name.to_owned(), errors: errors.clone() }.into())
            }
            None => bail!("{name} gave no answer"),
        }
    }
}

/// A text in an answer.
pub(super) fn text(json: &Json, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Json::as_str);
    Ok(found.with_context(|| format!("no {pointer} in the answer"))?.to_owned())
}

/// What stands at a place of an answer; null, if nothing does.
pub(super) fn at<'a>(json: &'a Json, pointer: &str) -> &'a Json {
    json.pointer(pointer).unwrap_or(&Json::Null)
}
