//! What watches this server asks: whether it lives, and whether it can work.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::time::timeout;

use super::Ready;

/// Whoever asks gives up soon after.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn is_alive() -> &'static str {
    "ok"
}

pub(super) async fn is_ready(State(ready): State<Arc<dyn Ready>>) -> (StatusCode, &'static str) {
    if timeout(PATIENCE, ready.ready()).await.unwrap_or(false) {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    }
}
