//! Requests that were written from the vendors' published behaviour alone, by somebody who had not seen the
//! emulators: each case in an account of its own, in any order.

mod case;

use std::collections::BTreeMap;
use std::sync::Arc;

use concord::connectors::{kommo, zoho};
use concord::ports::{Clock, SystemClock};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use case::{Answer, Asked, Case, Known, filled_text};

/// Where an app sends people back to, and where it may post.
const REDIRECT_URI: &str = "https://sync.example.com/oauth/callback";
const PUBLIC_URL: &str = "https://sync.example.com/hooks";
/// How many there are to be at least, of each app.
const CASES_MIN: usize = 20;

/// An emulated account, and what whoever asks it knows.
struct Asker {
    base: String,
    token: String,
    scheme: &'static str,
    client: reqwest::Client,
    known: Known,
}

impl Asker {
    async fn open(app: &str, number: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Another test may have installed it already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let Opened { router, scheme, mut known, first } = match app {
            "kommo" => of_kommo(&base, clock),
            _ => of_zoho(&base, clock),
        };
        #[expect(clippy::disallowed_methods, reason = "the server ends with its test")]
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let unique = format!("u{number}x{}", std::process::id());
        let pairs = [
            ("unique", unique.as_str()),
            ("public_url", PUBLIC_URL),
            ("redirect_uri", REDIRECT_URI),
        ];
        known.extend(pairs.map(|(name, value)| (name.to_owned(), json!(value))));
        let mut asker = Self { base, token: String::new(), scheme, client, known };
        let first = serde_json::from_value(first).unwrap();
        let tokens: Json = serde_json::from_str(&asker.ask(&first).await.text).unwrap();
        asker.token = tokens["access_token"].as_str().unwrap().to_owned();
        if let Some(refresh) = tokens.get("refresh_token") {
            asker.known.insert("refresh_token".to_owned(), refresh.clone());
        }
        asker
    }

    async fn ask(&self, asked: &Asked) -> Answer {
        let method = reqwest::Method::from_bytes(asked.method.as_bytes()).unwrap();
        let url = format!("{}{}", self.base, asked.target(&self.known));
        let mut request = self.client.request(method, url);
        if asked.auth {
            request = request.header("authorization", format!("{} {}", self.scheme, self.token));
        }
        for (name, value) in &asked.headers {
            request = request.header(name, filled_text(value, &self.known));
        }
        if let Some((content_type, body)) = asked.body(&self.known) {
            if !asked.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
                request = request.header("content-type", content_type);
            }
            request = request.body(body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers: BTreeMap<String, String> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        Answer { status, headers, text: response.text().await.unwrap() }
    }
}

/// An emulated account: what answers, how tokens are sent to it, what is known of it, and the request that
/// gives the first token.
struct Opened {
    router: axum::Router,
    scheme: &'static str,
    known: Known,
    first: Json,
}

fn of_kommo(base: &str, clock: Arc<dyn Clock>) -> Opened {
    let mut options = kommo::emulator::Options::new(clock);
    // How often it may be asked is tried elsewhere.
    options.requests_per_second = None;
    options.base_url = base.to_owned();
    let emulator = kommo::emulator::Emulator::new(options);
    emulator.set_redirect_uri(REDIRECT_URI);
    emulator.add_user("Eva", "eva@example.com");
    let (id, secret) = (kommo::emulator::CLIENT_ID, kommo::emulator::CLIENT_SECRET);
    let known = [("client_id", id), ("client_secret", secret)];
    let known = known.map(|(name, value)| (name.to_owned(), json!(value))).into();
    let first = json!({
        "method": "POST", "path": "/oauth2/access_token", "auth": false,
        "json": {
            "client_id": id, "client_secret": secret, "grant_type": "authorization_code",
            "code": emulator.grant_code(), "redirect_uri": REDIRECT_URI,
        },
    });
    Opened { router: emulator.router(), scheme: "Bearer", known, first }
}

fn of_zoho(base: &str, clock: Arc<dyn Clock>) -> Opened {
    let mut options = zoho::emulator::Options::new(clock);
    options.base_url = base.to_owned();
    let emulator = zoho::emulator::Emulator::new(options);
    emulator.add_user("Eva", "eva@example.com");
    let known = [
        ("client_id", zoho::emulator::CLIENT_ID.to_owned()),
        ("client_secret", zoho::emulator::CLIENT_SECRET.to_owned()),
        ("refresh_token", emulator.refresh_token()),
    ];
    let known: Known = known.map(|(name, value)| (name.to_owned(), json!(value))).into();
    let mut form = known.clone();
    form.insert("grant_type".to_owned(), json!("refresh_token"));
    let first = json!({ "method": "POST", "path": "/oauth/v2/token", "auth": false, "form": form });
    Opened { router: emulator.router(), scheme: "Zoho-oauthtoken", known, first }
}

/// What is wrong with the answers of an app.
async fn judge(app: &str, cases: &str) {
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert!(cases.len() >= CASES_MIN, "{}", cases.len());
    let mut wrong = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let mut asker = Asker::open(app, number).await;
        for (place, step) in case.steps.iter().enumerate() {
            let answer = asker.ask(&step.request).await;
            let found = step.judge(&answer, &mut asker.known);
            if !found.is_empty() {
                let Asked { method, path, .. } = &step.request;
                wrong.push(format!(
                    "{} ({})\n  step {place}: {method} {path}\n  {}\n  {}",
                    case.name,
                    case.source,
                    found.join("\n  "),
                    answer.text.chars().take(600).collect::<String>(),
                ));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

#[tokio::test]
async fn kommo_is_as_published() {
    judge("kommo", include_str!("sheet/kommo.json")).await;
}

#[tokio::test]
async fn zoho_is_as_published() {
    judge("zoho", include_str!("sheet/zoho.json")).await;
}
