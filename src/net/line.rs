//! A line to one account: the client, the account's pace, and what to do when it is told to wait.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Error, Http, Meter, Pace, Request, Rest};

/// A line to one account; cheap to clone. All who speak to the account share its pace
/// and its meter.
#[derive(Clone)]
pub struct Line {
    http: Http,
    pace: Arc<Pace>,
    meter: Arc<Meter>,
}

/// How often a request that was told to wait is sent again before the caller is told.
const TRIES: u32 = 4;
/// How long to wait where the app does not say, the first time; then twice as long.
const WAIT: Duration = Duration::from_secs(1);

impl Line {
    /// A line at this pace.
    #[must_use]
    pub fn new(http: Http, pace: Arc<Pace>) -> Self {
        Self { http, pace, meter: Arc::default() }
    }

    /// What counts the requests that are sent.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Sends what `request` makes, at the account's pace. An answer for which `pause` gives a time
    /// says that nothing was done and that it may be sent again after it: then it is.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Resting`] where the pause is too long to be waited for.
    pub async fn send(
        &self,
        request: impl Fn() -> Request + Send + Sync,
        pause: impl Fn(&Answer) -> Option<Pause> + Send + Sync,
    ) -> Result<Answer, Error> {
        let _open = self.meter.open();
        let mut wait = WAIT;
        let mut tries = 1;
        loop {
            let turn = self.pace.turn().await.map_err(|Rest(left)| Error::Resting(left))?;
            let began = Instant::now();
            let answer = self.http.send(request()).await;
            if !matches!(answer, Err(Error::NotSent(_))) {
                self.meter.sent(answer.is_ok().then(|| began.elapsed()));
            }
            drop(turn);
            let answer = answer?;
            let Some(Pause(told)) = pause(&answer) else { return Ok(answer) };
            self.meter.paused();
            self.pace.rest(told.unwrap_or(wait)).await;
            if tries == TRIES {
                return Err(Error::Resting(told.unwrap_or(wait)));
            }
            (tries, wait) = (tries + 1, wait * 2);
        }
    }
}

/// That an answer asks for a pause, and for how long if it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause(pub Option<Duration>);
