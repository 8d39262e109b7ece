//! Pages of a list, in the API's envelope.

use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::query::Query;

const LIMIT_DEFAULT: usize = 50;

/// One page of what a query selects.
pub(super) struct Page<T> {
    rows: Vec<T>,
    number: usize,
    limit: usize,
    total: usize,
}

/// What stands around the rows.
pub(super) struct Frame<'a> {
    pub(super) base_url: &'a str,
    /// Under the API's root.
    pub(super) path: &'a str,
    /// What the rows are called.
    pub(super) name: &'a str,
    /// Whether the envelope counts rows and pages; most lists do not.
    pub(super) is_counted: bool,
}

impl<T> Page<T> {
    pub(super) fn cut(rows: Vec<T>, query: &Query, limit_max: usize) -> Self {
        let number = query.count("page").unwrap_or(1);
        let limit = query.count("limit").unwrap_or(LIMIT_DEFAULT).min(limit_max);
        let total = rows.len();
        let before = number.saturating_sub(1).saturating_mul(limit);
        let rows = rows.into_iter().skip(before).take(limit).collect();
        Self { rows, number, limit, total }
    }

    /// 204 if there is nothing on the page.
    pub(super) fn answer(
        &self,
        frame: &Frame<'_>,
        query: &Query,
        show: impl Fn(&T) -> Value,
    ) -> Answer {
        if self.rows.is_empty() {
            return Answer::no_content();
        }
        let pages = self.total.div_ceil(self.limit);
        let link = |number: usize| {
            let query = query.for_page(number, self.limit);
            json!({ "href": format!("{}/api/v4/{}?{query}", frame.base_url, frame.path) })
        };
        let mut links = Map::new();
        links.insert("self".to_owned(), link(self.number));
        if self.number < pages {
            links.insert("next".to_owned(), link(self.number + 1));
        }
        let mut body = Map::new();
        body.insert("_page".to_owned(), json!(self.number));
        if frame.is_counted {
            links.insert("first".to_owned(), link(1));
            links.insert("last".to_owned(), link(pages));
            body.insert("_page_count".to_owned(), json!(pages));
            body.insert("_total_items".to_owned(), json!(self.total));
        }
        let rows: Vec<Value> = self.rows.iter().map(show).collect();
        let mut embedded = Map::new();
        embedded.insert(frame.name.to_owned(), Value::Array(rows));
        body.insert("_links".to_owned(), Value::Object(links));
        body.insert("_embedded".to_owned(), Value::Object(embedded));
        Answer::hal(200, &Value::Object(body))
    }
}
