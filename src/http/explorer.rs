//! GraphiQL, to try the API in a browser. All of it is in this program: the page loads nothing from
//! anywhere else, and its policy would not let it.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

/// Scripts are files of this server. GraphiQL sets styles on elements, and has small images in its
/// style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; \
                      style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

struct File {
    path: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

macro_rules! file {
    ($path:literal, $kind:ident, $name:literal) => {
        File { path: $path, kind: $kind, content: include_bytes!(concat!("graphiql/", $name)) }
    };
}

static FILES: [File; 8] = [
    file!("/", HTML, "index.html"),
    file!("/graphiql/page.css", STYLE, "page.css"),
    file!("/graphiql/start.js", SCRIPT, "start.js"),
    file!("/graphiql/graphiql.min.js", SCRIPT, "graphiql.min.js"),
    file!("/graphiql/graphiql.min.css", STYLE, "graphiql.min.css"),
    file!("/graphiql/react.production.min.js", SCRIPT, "react.production.min.js"),
    file!("/graphiql/react-dom.production.min.js", SCRIPT, "react-dom.production.min.js"),
    file!("/graphiql/LICENSES.txt", TEXT, "LICENSES.txt"),
];

/// Adds the page and its files to the addresses of the server.
pub(super) fn add_to(router: Router) -> Router {
    let add = |router: Router, file: &'static File| {
        router.route(file.path, get(move || async move { file.render() }))
    };
    FILES.iter().fold(router, add)
}

impl File {
    fn render(&self) -> Response {
        let mut response = self.content.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        response
    }
}
