//! Sets of tags, in the form that apps and people write them.

use super::text::fold;
use crate::record::Value;

/// A set of tags with these added and those removed, by name without regard to case. What is there
/// already is not added; the others keep their spelling and order.
#[must_use]
pub fn change_tags(tags: &Value, add: &[String], remove: &[String]) -> Value {
    let is = |tag: &Value, name: &String| fold(&tag.text()) == fold(name);
    let mut changed: Vec<Value> = tags
        .elements()
        .iter()
        .filter(|tag| !remove.iter().any(|name| is(tag, name)))
        .cloned()
        .collect();
    for name in add {
        if !changed.iter().any(|tag| is(tag, name)) {
            changed.push(Value::Text(name.clone()));
        }
    }
    if changed.is_empty() { Value::Cleared } else { Value::List(changed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_tags_stay_as_they_are_spelt() {
        let tag = |name: &str| Value::Text(name.into());
        let tags = Value::List(vec![tag("VIP"), tag("press")]);
        let changed = change_tags(&tags, &["vip".into(), "new".into()], &["PRESS".into()]);
        assert_eq!(changed, Value::List(vec![tag("VIP"), tag("new")]));
        assert_eq!(change_tags(&tags, &[], &["vip".into(), "press".into()]), Value::Cleared);
    }
}
