//! The fields of a token request, in whichever of its three forms they come.

use std::collections::BTreeMap;

use super::call::Call;

/// From the query and the body; the body has the last word.
pub(super) fn fields(call: &Call) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = call.params().iter().cloned().collect();
    match call.header("content-type").and_then(boundary) {
        Some(boundary) => fields.extend(multipart(&call.body, boundary)),
        None => fields.extend(form_urlencoded::parse(&call.body).into_owned()),
    }
    fields
}

fn boundary(content_type: &str) -> Option<&str> {
    let rest = content_type.strip_prefix("multipart/form-data")?;
    let (_, boundary) = rest.split_once("boundary=")?;
    let boundary = boundary.split(';').next().unwrap_or_default();
    Some(boundary.trim().trim_matches('"'))
}

fn multipart(body: &[u8], boundary: &str) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let delimiter = format!("--{boundary}");
    text.split(delimiter.as_str()).filter_map(part).collect()
}

fn part(text: &str) -> Option<(String, String)> {
    let (head, value) = text.split_once("\r\n\r\n")?;
    let (_, name) = head.split_once("name=")?;
    let name = match name.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => name.split([';', '\r']).next()?,
    };
    Some((name.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
}
