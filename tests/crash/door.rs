//! What stands before an app: it holds the one request at which the server is to be killed, and keeps
//! what was written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use concord::lab::demo::Town;
use tokio::sync::Notify;

use crate::points::{App, Asked, Point, Reached};

/// The doors of both apps.
pub struct Doors {
    pub kommo: Door,
    pub zoho: Door,
}

impl Doors {
    pub fn new(point: Point, town: &Town) -> Self {
        let opt_out = format!("\"field_id\":{},", town.moved.opt_out_field);
        let door = |app| Door(Arc::new(Inner::new(app, point, opt_out.clone())));
        Self { kommo: door(App::Kommo), zoho: door(App::Zoho) }
    }

    pub fn of(&self, app: App) -> &Door {
        match app {
            App::Kommo => &self.kommo,
            App::Zoho => &self.zoho,
        }
    }
}

/// Stands before an app.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    app: App,
    point: Point,
    /// How Kommo's field for permission is named in what is written.
    opt_out: String,
    is_armed: AtomicBool,
    reached: Notify,
    go: Notify,
    writes: Mutex<Vec<String>>,
}

impl Inner {
    fn new(app: App, point: Point, opt_out: String) -> Self {
        Self {
            app,
            point,
            opt_out,
            is_armed: AtomicBool::new(false),
            reached: Notify::new(),
            go: Notify::new(),
            writes: Mutex::default(),
        }
    }

    /// Whether this is the request of the point. There is only one.
    fn is_it(&self, method: &Method, uri: &Uri, body: &str) -> bool {
        let asks = self.asks(method, uri.path(), uri.query().unwrap_or_default(), body);
        self.app == self.point.app && asks && self.is_armed.swap(false, Ordering::SeqCst)
    }

    fn asks(&self, method: &Method, path: &str, query: &str, body: &str) -> bool {
        let is = |wanted: Method, at: &str| *method == wanted && path == at;
        match (self.app, self.point.asked) {
            (App::Kommo, Asked::Create) => is(Method::POST, KOMMO),
            (App::Kommo, Asked::Update) => {
                is(Method::PATCH, KOMMO) && !body.contains(&self.opt_out)
            }
            (App::Kommo, Asked::Consent) => {
                is(Method::PATCH, KOMMO) && body.contains(&self.opt_out)
            }
            (App::Kommo, Asked::Tags) => is(Method::PATCH, KOMMO) && body.contains("tags_to_add"),
            (App::Kommo, Asked::SecondPage) => is(Method::GET, KOMMO) && query.ends_with("&page=2"),
            (App::Zoho, Asked::Create) => is(Method::POST, ZOHO),
            (App::Zoho, Asked::Update) => is(Method::PUT, ZOHO) && !body.contains(ZOHO_OPT_OUT),
            (App::Zoho, Asked::Consent) => is(Method::PUT, ZOHO) && body.contains(ZOHO_OPT_OUT),
            (App::Zoho, Asked::Tags) => is(Method::POST, ZOHO_TAGS),
            (App::Zoho, Asked::SecondPage) => {
                is(Method::GET, ZOHO) && query.contains("page_token=")
            }
        }
    }
}

const KOMMO: &str = "/api/v4/contacts";
const ZOHO: &str = "/crm/v8/Contacts";
const ZOHO_TAGS: &str = "/crm/v8/Contacts/actions/add_tags";
const ZOHO_OPT_OUT: &str = "Email_Opt_Out";

impl Door {
    pub fn before(&self, app: axum::Router) -> axum::Router {
        let door = self.clone();
        app.layer(from_fn(move |request: Request, next: Next| door.clone().pass(request, next)))
    }

    /// From now on the next request of the point is held.
    pub fn arm(&self) {
        self.0.is_armed.store(true, Ordering::SeqCst);
    }

    /// Waits until the request of the point is held.
    pub async fn reached(&self) {
        self.0.reached.notified().await;
    }

    /// Lets the answer to it out.
    pub fn let_go(&self) {
        self.0.go.notify_one();
    }

    /// How many requests wrote.
    pub fn writes(&self) -> usize {
        self.0.writes.lock().unwrap().len()
    }

    /// How many requests that write held these words.
    pub fn writes_of(&self, words: &str) -> usize {
        self.0.writes.lock().unwrap().iter().filter(|body| body.contains(words)).count()
    }

    async fn pass(self, request: Request, next: Next) -> Response {
        let Self(door) = self;
        let (mut head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&body).into_owned();
        let is_it = door.is_it(&head.method, &head.uri, &text);
        let is_of_contacts = [KOMMO, ZOHO].iter().any(|path| head.uri.path().starts_with(path));
        if head.method != Method::GET && is_of_contacts {
            door.writes.lock().unwrap().push(text);
        }
        if is_it && door.point.reached == Reached::Arrived {
            door.reached.notify_one();
            return std::future::pending().await;
        }
        if door.point.asked == Asked::SecondPage {
            head.uri = with_small_pages(&head.uri);
        }
        let response = next.run(Request::from_parts(head, body.into())).await;
        if is_it {
            door.reached.notify_one();
            door.go.notified().await;
        }
        response
    }
}

/// The lists of changed contacts come in pages of 20: of 60 people there is more than one.
fn with_small_pages(uri: &Uri) -> Uri {
    let query = uri.query().unwrap_or_default();
    let smaller = match uri.path() {
        KOMMO if query.contains("&page=") => query.replace("limit=250", "limit=20"),
        ZOHO if query.contains("sort_by=") => query.replace("per_page=200", "per_page=20"),
        _ => return uri.clone(),
    };
    format!("{}?{smaller}", uri.path()).parse().unwrap()
}
