//! What is done, step by step, through the public API.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, sleep};

use super::Town;
use super::client::{Client, Refused, at, text};
use super::edits::{self, Edit};
use super::played::Played;
use crate::ports::{Clock as _, SystemClock};

/// The steps, each of which anybody would do through the public API.
pub struct Script<'a> {
    client: Client,
    town: &'a Town,
    is_quiet: bool,
}

/// How often a run is looked at, and what arrives.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long an edit may take to the other side.
const ARRIVAL: Duration = Duration::from_secs(60);
/// What a person has to have read.
pub const SAID: [&str; 1] = ["NO_OTHER_SYNC"];
/// How long anything may take at most.
const PATIENCE: Duration = Duration::from_secs(1800);

const RUN: &str = "id kind trigger state error counts { items outcomes { name count } skipped { name count } \
                   missedByWebhooks writes { side kind count } }";

impl<'a> Script<'a> {
    pub(super) fn new(client: Client, town: &'a Town, is_quiet: bool) -> Self {
        Self { client, town, is_quiet }
    }

    fn say(&self, words: &str) {
        if !self.is_quiet {
            eprintln!("{words}");
        }
    }

    pub(super) async fn play(&self) -> Result<Played> {
        let read = [self.town.kommo.contacts().len(), self.town.zoho.contacts().len()];
        self.say("Connecting both accounts ...");
        let [left, right] = self.accounts().await?;
        let connection = self.set_up(&left, &right).await?;
        self.town.kommo.forget_requests();
        self.town.zoho.forget_requests();
        let begun = Instant::now();
        self.start(&connection, &SAID).await?;
        let first = self.approved(&connection).await?;
        let first_run = begun.elapsed();
        let calls = [self.town.kommo.requests().len(), self.town.zoho.requests().len()];
        let begun = Instant::now();
        self.run(&connection, &first).await?;
        let no_change_run = begun.elapsed();
        let are_told = self.register(&left).await? && self.register(&right).await?;
        let edited_at = SystemClock.now();
        let edits = edits::edit(self.town);
        self.say(&format!("People made {} edits on both sides; they travel ...", edits.len()));
        let webhook_to_write =
            if are_told { Some(self.arrival(&edits, edited_at).await?) } else { None };
        self.run_again(&connection).await?;
        Ok(Played { first, read, calls, first_run, no_change_run, webhook_to_write })
    }

    /// Connects the two accounts of the town. Gives their ids.
    ///
    /// # Errors
    /// If the server or an app refuses.
    pub async fn accounts(&self) -> Result<[String; 2]> {
        let [kommo, zoho] = &self.town.credentials;
        Ok([self.connect("kommo", kommo).await?, self.connect("zoho", zoho).await?])
    }

    /// The client that it asks by.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Has an account's app post its notifications to the server. False if the server does not know
    /// where it is reached.
    ///
    /// # Errors
    /// If the server or the app refuses.
    pub async fn register(&self, account: &str) -> Result<bool> {
        let query = "mutation($id: ID!) { webhookRegister(accountId: $id) { \
                     webhook { state stateCode } userErrors { message } } }";
        let data = self.client.ask(query, json!({ "id": account })).await?;
        let payload = at(&data, "/webhookRegister");
        if let Some(error) = at(payload, "/userErrors/0/message").as_str() {
            self.say(&format!("Without webhooks: {error}"));
            return Ok(false);
        }
        if at(payload, "/webhook/state") != "REGISTERED" {
            bail!("the webhook was not registered: {}", at(payload, "/webhook/stateCode"));
        }
        Ok(true)
    }

    /// Waits until all edits, made at that time, have arrived on the other side. Gives how long the
    /// last one took.
    async fn arrival(&self, edits: &[Edit], at: Timestamp) -> Result<Duration> {
        let begun = Instant::now();
        let mut left: Vec<&Edit> = edits.iter().collect();
        while !left.is_empty() {
            let before = left.len();
            left = edits::on_the_way(left, self.town, at);
            if left.len() < before {
                let seconds = begun.elapsed().as_secs_f64();
                self.say(&format!("  {} arrived after {seconds:.1} s", before - left.len()));
            }
            if begun.elapsed() > ARRIVAL {
                bail!("{} edits did not arrive by webhook", left.len());
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(begun.elapsed())
    }

    /// Connects an account of an app with what a person would type in. Gives its id.
    ///
    /// # Errors
    /// If the server or the app refuses.
    pub async fn connect(&self, app: &str, credentials: &[(&str, String)]) -> Result<String> {
        let credentials: Vec<Json> = credentials
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        let input = json!({ "app": app, "credentials": credentials });
        let answer = self
            .client
            .act("accountConnect", "AccountConnectInput", "account { id label }", input)
            .await
            .map_err(|error| self.explain(error))?;
        let id = text(&answer, "/account/id")?;
        // Numbers without a country code are dialled from here.
        let input = json!({ "id": id, "region": "DE" });
        self.client.act("accountUpdate", "AccountUpdateInput", "account { id }", input).await?;
        Ok(id)
    }

    /// A server that asks the vendors' own addresses is told where the emulators are.
    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let unreached = ["APP_UNAVAILABLE", "CREDENTIALS_REFUSED"];
        match error.downcast_ref::<Refused>() {
            Some(refused) if refused.is_any(&unreached) => error.context(self.town.advice()),
            _ => error,
        }
    }

    /// Makes the connection: the mapping that is suggested, with two fields of the account's own.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn set_up(&self, left: &str, right: &str) -> Result<String> {
        let input = json!({
            "title": "Kommo and Zoho CRM",
            "left": { "accountId": left },
            "right": { "accountId": right },
        });
        let answer = self
            .client
            .act("connectionCreate", "ConnectionCreateInput", "connection { id }", input)
            .await?;
        let id = text(&answer, "/connection/id")?;
        let moved = &self.town.moved;
        let custom = |number: u64| format!("cf_{number}");
        let input = json!({
            "connectionId": id,
            "preferredSide": "LEFT",
            "emailConsent": { "left": custom(moved.opt_out_field), "right": "Email_Opt_Out" },
        });
        let draft = "draft { edit }";
        self.client.act("connectionUpdate", "ConnectionUpdateInput", draft, input).await?;
        let pairs = [
            (custom(moved.city_field), "Mailing_City".to_owned()),
            (custom(moved.birthday_field), "Date_of_Birth".to_owned()),
        ];
        for source in ["LEFT", "RIGHT"] {
            let input = json!({
                "connectionId": id, "source": source, "firstRun": "ALL", "writePolicy": "OVERWRITE",
            });
            self.client.act("syncUpdate", "SyncUpdateInput", draft, input).await?;
            let entries: Vec<Json> = pairs
                .iter()
                .map(|(left, right)| match source {
                    "LEFT" => json!({ "target": right, "inputs": [left] }),
                    _ => json!({ "target": left, "inputs": [right] }),
                })
                .collect();
            let input = json!({ "connectionId": id, "source": source, "entries": entries });
            self.client.act("mappingSet", "MappingSetInput", draft, input).await?;
        }
        Ok(id)
    }

    /// Starts both syncs of a connection, with what a person has to have read.
    ///
    /// # Errors
    /// If the server refuses, or finds faults.
    pub async fn start(&self, connection: &str, said: &[&str]) -> Result<()> {
        let input = json!({ "connectionId": connection, "acknowledgements": said });
        let answer = "review { token faults { code message } unacknowledged }";
        let answer =
            self.client.act("connectionReview", "ConnectionReviewInput", answer, input).await?;
        let Some(token) = answer.pointer("/review/token").and_then(Json::as_str) else {
            bail!("the review found faults: {answer}");
        };
        let input = json!({
            "connectionId": connection, "sources": ["LEFT", "RIGHT"],
            "reviewToken": token, "acknowledgements": said,
        });
        let answer = "connection { id }";
        self.client.act("connectionStart", "ConnectionStartInput", answer, input).await?;
        Ok(())
    }

    /// Waits for the plan, agrees to it, and waits for the run that carries it out.
    ///
    /// # Errors
    /// If the server refuses, or the run fails.
    pub async fn approved(&self, connection: &str) -> Result<Json> {
        let plan = self.plan(connection).await?;
        let items = self.approve(&plan).await?;
        self.ended(connection, None, items).await
    }

    /// Waits for the plan of the first run: its id, hash, counts and forecast, as the API tells them.
    ///
    /// # Errors
    /// If the server does not answer, or has no plan in half an hour.
    pub async fn plan(&self, connection: &str) -> Result<Json> {
        self.say("Planning the first run ...");
        let query = "query($id: ID!) { connection(id: $id) { waitingPlan { id hash counts { items } \
                     forecast { seconds costs { side calls credits } } } } }";
        self.until(|| async {
            let data = self.client.ask(query, json!({ "id": connection })).await?;
            let plan = data.pointer("/connection/waitingPlan").cloned();
            Ok(plan.filter(|plan| !plan.is_null()))
        })
        .await
    }

    /// Agrees to a plan. Gives how many items it has.
    ///
    /// # Errors
    /// If it is not the one that waits, or the server does not answer.
    pub async fn approve(&self, plan: &Json) -> Result<u64> {
        let costs = plan.pointer("/forecast/costs").and_then(Json::as_array);
        let calls = costs.into_iter().flatten().filter_map(|cost| at(cost, "/calls").as_u64());
        let (items, calls) = (at(plan, "/counts/items"), calls.sum::<u64>());
        self.say(&format!(
            "The plan has {items} items, to be written by {calls} requests: approved."
        ));
        let input = json!({ "planId": at(plan, "/id"), "hash": at(plan, "/hash") });
        self.client.act("planApprove", "PlanDecideInput", "plan { state }", input).await?;
        Ok(at(plan, "/counts/items").as_u64().unwrap_or_default())
    }

    /// Runs a connection once more, and waits until a run that began from now on has ended.
    ///
    /// # Errors
    /// If the run fails, or the server does not answer.
    pub async fn run_again(&self, connection: &str) -> Result<()> {
        let latest = self.latest(connection).await?;
        self.run(connection, &latest).await?;
        Ok(())
    }

    /// Runs it once more, after the run `before`. Gives the new run.
    ///
    /// # Errors
    /// If the server refuses, or the run fails.
    pub async fn run(&self, connection: &str, before: &Json) -> Result<Json> {
        let query =
            "mutation($id: ID!) { connectionRun(connectionId: $id) { userErrors { message } } }";
        self.client.ask(query, json!({ "id": connection })).await?;
        self.ended(connection, at(before, "/id").as_str(), 0).await
    }

    /// The newest run.
    ///
    /// # Errors
    /// If the server refuses, or there is none.
    pub async fn latest(&self, connection: &str) -> Result<Json> {
        self.runs(connection).await?.into_iter().next().context("no run yet")
    }

    /// The last runs, the newest first.
    async fn runs(&self, connection: &str) -> Result<Vec<Json>> {
        let query = format!(
            "query($id: ID!) {{ connection(id: $id) {{ runs(first: 10) {{ edges {{ node {{ {RUN} }} }} }} }} }}"
        );
        let data = self.client.ask(&query, json!({ "id": connection })).await?;
        let edges = at(&data, "/connection/runs/edges").as_array().into_iter().flatten();
        Ok(edges.map(|edge| at(edge, "/node").clone()).collect())
    }

    /// Waits for the first run that writes, newer than `before`, to end: another may follow at once.
    /// Where `items` are many, it shows how far it is.
    ///
    /// # Errors
    /// If the server refuses, or the run fails.
    pub async fn ended(&self, connection: &str, before: Option<&str>, items: u64) -> Result<Json> {
        let run = self
            .until(|| async {
                let Ok(runs) = self.runs(connection).await else { return Ok(None) };
                let is_it = |run: &Json| {
                    let is_new = before.is_none_or(|before| at(run, "/id").as_str() > Some(before));
                    is_new && at(run, "/kind") == "SYNC"
                };
                let Some(run) = runs.into_iter().rev().find(is_it) else { return Ok(None) };
                if items > 0 {
                    self.show_progress(&run, items);
                }
                Ok((at(&run, "/state") != "RUNNING").then_some(run))
            })
            .await?;
        if at(&run, "/state") == "FAILED" {
            bail!("the run failed: {}", at(&run, "/error"));
        }
        Ok(run)
    }

    fn show_progress(&self, run: &Json, items: u64) {
        const WIDTH: u64 = 40;
        let is_over = at(run, "/state") != "RUNNING";
        // A file gets the last line only.
        if self.is_quiet || !(is_over || std::io::stderr().is_terminal()) {
            return;
        }
        let done = at(run, "/counts/items").as_u64().unwrap_or_default().min(items);
        let filled = usize::try_from(done * WIDTH / items.max(1)).unwrap_or_default();
        let bar = format!("{}{}", "#".repeat(filled), " ".repeat(WIDTH as usize - filled));
        eprint!("\r[{bar}] {done} of {items}");
        if is_over {
            eprintln!();
        }
    }

    async fn until<T, F>(&self, mut look: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if begun.elapsed() > PATIENCE {
                bail!("it took too long");
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
