//! The key of a request: in its header, or in what its mutation takes.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::{Name, Positioned, Request, ServerError, ServerResult, Value, Variables};
use serde_json::json;

use super::fault::error;
use crate::idempotency::Key;

/// The argument, or the member of an argument.
const NAME: &str = "idempotencyKey";

/// The key of a request, if it has one.
pub(super) fn of(request: &mut Request, header: Option<Key>) -> ServerResult<Option<Key>> {
    let name = request.operation_name.clone();
    // Lent to what follows: the document is borrowed from the rest of the request.
    let variables = std::mem::take(&mut request.variables);
    let found = request.parsed_query().and_then(|document| {
        // Which operation is meant, if none can be, is said when the query is validated.
        let Some(operation) = operation(document, name.as_deref()) else { return Ok(None) };
        find(document, operation, &variables, header)
    });
    request.variables = variables;
    found
}

fn find(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
    header: Option<Key>,
) -> ServerResult<Option<Key>> {
    let mut fields =
        Fields { fragments: &document.fragments, spread: HashSet::new(), all: Vec::new() };
    if operation.ty == OperationType::Mutation {
        fields.collect(&operation.selection_set.node);
    }
    let given: Vec<String> =
        fields.all.iter().filter_map(|field| given(field, operation, variables)).collect();
    if header.is_none() && given.is_empty() {
        return Ok(None);
    }
    if fields.all.len() != 1 {
        return Err(invalid(
            "an idempotency key is for a request with exactly one mutation: send each by itself",
        ));
    }
    let given = given.first().map(|text| text.parse::<Key>()).transpose();
    let given = given.map_err(|bad| invalid(&bad.to_string()))?;
    match (header, given) {
        (Some(header), Some(given)) if header != given => {
            Err(invalid("the header Idempotency-Key and idempotencyKey differ: send one of them"))
        }
        (header, given) => Ok(header.or(given)),
    }
}

/// What is asked, as text. The members of an object count in no order.
pub(super) fn content(request: &Request) -> Vec<u8> {
    let variables = serde_json::to_value(&request.variables).unwrap_or_default();
    let whole = json!([request.query, request.operation_name, variables]);
    whole.to_string().into_bytes()
}

fn invalid(message: &str) -> ServerError {
    error("IDEMPOTENCY_KEY_INVALID", message.to_owned())
}

/// The operation that is meant.
fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Option<&'a OperationDefinition> {
    let mut all = document.operations.iter();
    let (_, found) = match name {
        Some(name) => all.find(|(known, _)| known.is_some_and(|known| known.as_str() == name))?,
        None => all.next().filter(|_| all.next().is_none())?,
    };
    Some(&found.node)
}

/// What an operation does, one field after the other.
struct Fields<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    spread: HashSet<&'a str>,
    all: Vec<&'a Field>,
}

impl<'a> Fields<'a> {
    fn collect(&mut self, selection: &'a SelectionSet) {
        for item in &selection.items {
            match &item.node {
                Selection::Field(field) if field.node.name.node == "__typename" => {}
                Selection::Field(field) => self.all.push(&field.node),
                Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let Some(fragment) = self.fragments.get(name) else { continue };
                    if self.spread.insert(name) {
                        self.collect(&fragment.node.selection_set.node);
                    } else {
                        // Each spread is done again, so what was found counts twice.
                        let again = self.all.first().copied();
                        self.all.extend(again);
                    }
                }
            }
        }
    }
}

/// The key that a field takes.
fn given(field: &Field, operation: &OperationDefinition, variables: &Variables) -> Option<String> {
    let argument = |name: &str| {
        let value = field.get_argument(name)?.node.clone();
        value.into_const_with(|name| Ok::<_, ()>(variable(&name, operation, variables))).ok()
    };
    let key = argument(NAME).or_else(|| match argument("input")? {
        Value::Object(mut members) => members.swap_remove(NAME),
        _ => None,
    });
    // What is no text is refused when the query is validated.
    match key? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// What a variable stands for; nothing, if it was left out.
fn variable(name: &Name, operation: &OperationDefinition, variables: &Variables) -> Value {
    let default = || {
        let all = operation.variable_definitions.iter();
        let mut these = all.filter(|definition| definition.node.name.node == *name);
        these.next()?.node.default_value().cloned()
    };
    variables.get(name).cloned().or_else(default).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(query: &str, variables: serde_json::Value) -> Request {
        Request::new(query).variables(Variables::from_json(variables))
    }

    fn key(query: &str, variables: serde_json::Value) -> Option<String> {
        let found = of(&mut request(query, variables), None).unwrap();
        found.map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_key_is_found_wherever_it_is_given() {
        for (query, variables) in [
            (r#"mutation { run(id: 1, idempotencyKey: "k") { a } }"#, json!({})),
            ("mutation($k: String) { run(idempotencyKey: $k) { a } }", json!({"k": "k"})),
            (r#"mutation($k: String = "k") { run(idempotencyKey: $k) { a } }"#, json!({})),
            (r#"mutation($l: ID) { run(input: {l: $l, idempotencyKey: "k"}) { a } }"#, json!({})),
            ("mutation($i: I) { run(input: $i) { a } }", json!({"i": {"idempotencyKey": "k"}})),
            (
                r#"mutation { __typename ...A } fragment A on M { run(idempotencyKey: "k") }"#,
                json!({}),
            ),
            (r#"mutation { ... on M { run(idempotencyKey: "k") } }"#, json!({})),
        ] {
            assert_eq!(key(query, variables).as_deref(), Some("k"), "{query}");
        }
    }

    #[test]
    fn without_a_key_there_is_none() {
        for (query, variables) in [
            ("mutation { run(id: 1) { a } }", json!({})),
            ("mutation($k: String) { run(idempotencyKey: $k) { a } }", json!({})),
            ("mutation($k: String) { run(idempotencyKey: $k) { a } }", json!({"k": null})),
            ("mutation($i: I) { run(input: $i) other(input: $i) }", json!({"i": {}})),
            (r#"{ run(idempotencyKey: "k") { a } }"#, json!({})),
        ] {
            assert_eq!(key(query, variables), None, "{query}");
        }
    }

    #[test]
    fn what_else_is_asked_is_told_apart() {
        let base = || request("mutation { a }", json!({"x": {"a": 1, "b": 2}, "y": 3}));
        assert_eq!(content(&base()), content(&base()));
        let moved = request("mutation { a }", json!({"y": 3, "x": {"b": 2, "a": 1}}));
        assert_eq!(content(&base()), content(&moved), "members count in no order");
        for other in [
            request("mutation { b }", json!({"x": {"a": 1, "b": 2}, "y": 3})),
            request("mutation { a }", json!({"x": {"a": 1, "b": 2}, "y": 4})),
            request("mutation { a }", json!({"x": {"a": 1, "b": 2}})),
            base().operation_name("A"),
        ] {
            assert_ne!(content(&base()), content(&other));
        }
    }

    #[test]
    fn fragments_that_spread_each_other_end() {
        let query = "mutation { ...A ...A } fragment A on M { ...B ...B } fragment B on M { ...A ...A run(idempotencyKey: \"k\") }";
        assert!(of(&mut request(query, json!({})), None).is_err());
    }
}
