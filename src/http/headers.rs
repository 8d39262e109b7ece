//! What every answer tells browsers.

use axum::http::{HeaderValue, header};
use axum::response::Response;

/// An answer of the API is never shown as a page, and never within one.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

pub(super) async fn secure(mut response: Response) -> Response {
    let always = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // The answers hold people's data.
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers = response.headers_mut();
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // GraphiQL has a policy of its own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(API_POLICY));
    response
}
