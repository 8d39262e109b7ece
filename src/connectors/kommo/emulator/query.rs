//! Query strings with names in brackets, encoded or not: `filter[id][]=1`, `filter[id][0]=1`.

pub(super) struct Query {
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: String,
    path: Vec<String>,
    value: String,
}

/// Seconds, both ends included.
pub(super) struct Range {
    from: Option<i64>,
    to: Option<i64>,
}

impl Range {
    pub(super) fn holds(&self, second: i64) -> bool {
        self.from.is_none_or(|from| from <= second) && self.to.is_none_or(|to| second <= to)
    }
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        let parameters = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| {
            let path = name.split('[').map(|part| part.trim_end_matches(']').to_owned()).collect();
            Parameter { path, name: name.into_owned(), value: value.into_owned() }
        });
        Self { parameters: parameters.collect() }
    }

    pub(super) fn one(&self, path: &[&str]) -> Option<&str> {
        let found = self.parameters.iter().find(|parameter| parameter.path == path);
        found.map(|parameter| parameter.value.as_str())
    }

    /// The values of a list; `None` if it is not there at all.
    pub(super) fn many(&self, path: &[&str]) -> Option<Vec<&str>> {
        let found: Vec<&str> = self
            .parameters
            .iter()
            .filter(|parameter| parameter.is_of(path))
            .map(|parameter| parameter.value.as_str())
            .collect();
        if found.is_empty() { None } else { Some(found) }
    }

    /// As [`Query::many`], where one value may also hold several words with commas between them.
    pub(super) fn words(&self, path: &[&str]) -> Option<Vec<&str>> {
        let found = self.many(path)?;
        Some(found.into_iter().flat_map(|value| value.split(',')).map(str::trim).collect())
    }

    /// As [`Query::many`]; what is no number selects nothing.
    pub(super) fn numbers(&self, path: &[&str]) -> Option<Vec<u64>> {
        let found = self.many(path)?;
        Some(found.into_iter().filter_map(|value| value.trim().parse().ok()).collect())
    }

    pub(super) fn range(&self, path: &[&str]) -> Range {
        let end = |name| -> Option<i64> {
            let whole: Vec<&str> = path.iter().copied().chain([name]).collect();
            self.one(&whole).and_then(|value| value.trim().parse().ok())
        };
        Range { from: end("from"), to: end("to") }
    }

    /// Whether something is asked for by `with=a,b`.
    pub(super) fn is_with(&self, what: &str) -> bool {
        self.words(&["with"]).is_some_and(|words| words.contains(&what))
    }

    /// A number from 1 on, such as `page` or `limit`.
    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.one(&[name])?.parse().ok().filter(|count| *count > 0)
    }

    /// The same question for another page.
    pub(super) fn for_page(&self, page: usize, limit: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(format!("page={page}&limit={limit}"));
        for parameter in &self.parameters {
            if !["page", "limit"].contains(&parameter.name.as_str()) {
                query.append_pair(&parameter.name, &parameter.value);
            }
        }
        query.finish()
    }
}

impl Parameter {
    fn is_of(&self, path: &[&str]) -> bool {
        match self.path.split_last() {
            _ if self.path == path => true,
            Some((index, list)) => list == path && index.bytes().all(|byte| byte.is_ascii_digit()),
            None => false,
        }
    }
}
