//! A client of the public API: what anybody would write.

use anyhow::{Context as _, Result, bail};
use secrecy::SecretString;
use serde_json::{Value as Json, json};

use crate::net::{Http, Method, Request};

pub(super) struct Client {
    http: Http,
    url: String,
    token: String,
}

impl Client {
    pub(super) fn new(address: &str, token: &str) -> Result<Self> {
        let url = format!("{address}/graphql");
        Ok(Self { http: Http::new()?, url, token: token.to_owned() })
    }

    /// Asks. Gives the data; errors of the request are errors.
    pub(super) async fn ask(&self, query: &str, variables: Json) -> Result<Json> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let bearer = SecretString::from(format!("Bearer {}", self.token));
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
    pub(super) async fn act(
        &self,
        name: &str,
        kind: &str,
        answer: &str,
        input: Json,
    ) -> Result<Json> {
        let query = format!(
            "mutation($input: {kind}!) {{ {name}(input: $input) {{ {answer} userErrors {{ code message detail }} }} }}"
        );
        let mut data = self.ask(&query, json!({ "input": input })).await?;
        let payload = data.get_mut(name).map(Json::take).unwrap_or_default();
        match payload.get("userErrors").and_then(Json::as_array) {
            Some(errors) if errors.is_empty() => Ok(payload),
            Some(errors) => bail!("{name}: {}", Json::from(errors.clone())),
            None => bail!("{name} gave no answer"),
        }
    }
}

/// A text in an answer.
pub(super) fn text(json: &Json, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Json::as_str);
    Ok(found.with_context(|| format!("no {pointer} in the answer"))?.to_owned())
}
