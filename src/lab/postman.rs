//! Carries what the emulators have to tell to whoever registered, as the real apps would.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::emulate::AppHandle;
use crate::net::{Http, Method, Request};

/// How often it is looked what there is to carry.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long an answer may take (Kommo: 2 seconds).
const PATIENCE: Duration = Duration::from_secs(2);

struct Letter {
    id: u64,
    url: String,
    content_type: &'static str,
    body: String,
}

impl AppHandle {
    fn letters(&self) -> Vec<Letter> {
        match self {
            Self::Kommo(kommo) => kommo
                .due_deliveries()
                .into_iter()
                .map(|due| Letter {
                    id: due.id,
                    url: due.url,
                    content_type: due.content_type,
                    body: due.body,
                })
                .collect(),
            Self::Zoho(zoho) => zoho
                .due_deliveries()
                .into_iter()
                .map(|due| Letter {
                    id: due.id,
                    url: due.url,
                    content_type: due.content_type,
                    body: due.body,
                })
                .collect(),
        }
    }

    fn answered(&self, letter: u64, status: Option<u16>) {
        match self {
            Self::Kommo(kommo) => kommo.answered(letter, status),
            Self::Zoho(zoho) => zoho.answered(letter, status),
        }
    }
}

/// Carries until it is dropped.
pub(super) async fn carry(app: AppHandle, http: Http) {
    loop {
        for letter in app.letters() {
            let request = Request::new(Method::Post, letter.url.as_str())
                .body(letter.content_type, letter.body.clone());
            let answer = timeout(PATIENCE, http.send(request)).await;
            let status = answer.ok().and_then(Result::ok).map(|answer| answer.status);
            app.answered(letter.id, status);
        }
        sleep(LOOK_EVERY).await;
    }
}
