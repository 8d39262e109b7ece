//! Tags that records lose: Kommo documents only how to take one off by its id.

use std::collections::BTreeMap;

use super::KommoConnector;
use super::wire::Tag;
use crate::connectors::{Result, Write};

/// The ids of tags by their names in lower case.
pub(super) type TagIds = BTreeMap<String, Vec<u64>>;

/// The names of the tags that records lose by these writes, by those in lower case.
pub(super) fn lost(writes: &[Write]) -> BTreeMap<String, &str> {
    let names = writes.iter().flat_map(|write| &write.tags_remove);
    names.map(|name| (name.to_lowercase(), name.as_str())).collect()
}

/// Looks up the tags that records lose by these writes, each once.
pub(super) async fn ids(connector: &KommoConnector, writes: &[Write]) -> Result<TagIds> {
    let mut ids = TagIds::new();
    for (key, name) in lost(writes) {
        let words: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let path = format!("/api/v4/contacts/tags?filter[name]={words}&limit=250");
        let tags = connector.api.read_list(&path, "tags").await?.elements::<Tag>("tags")?;
        let same = tags.into_iter().filter(|tag| tag.name.to_lowercase() == key);
        let same = same.map(|tag| tag.id).collect();
        ids.insert(key, same);
    }
    Ok(ids)
}
