//! Limits on the form of a query, checked before anything else is done with it.
//!
//! The library has limits of its own on depth and cost. To find these it follows each fragment as often
//! as it is spread, so a few hundred bytes of fragments that spread each other twice would keep it busy
//! for hours. Here each fragment is looked at once, and a query that unfolds too far goes no further.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest, NextValidation,
};
use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use async_graphql::{
    ErrorExtensionValues, Name, Positioned, Request, ServerError, ServerResult, ValidationResult,
};
use async_trait::async_trait;

/// A limit: how many of what.
#[derive(Clone, Copy)]
struct Limit {
    max: usize,
    what: &'static str,
}

/// How deep a query may be nested: enough for the standard introspection.
pub(super) const DEPTH_MAX: usize = 15;
/// What a query may cost: a field is 1, a page as many times its fields as it may have entries.
pub(super) const COST_MAX: usize = 5_000;
const TEXT: Limit = Limit { max: 16_000, what: "bytes of query text" };
const ALIASES: Limit = Limit { max: 30, what: "aliases" };
const ROOT_FIELDS: Limit = Limit { max: 20, what: "root fields in an operation" };
const DIRECTIVES: Limit = Limit { max: 8, what: "directives" };
/// The library stops soon after. A fragment that spreads itself has more.
const LEVELS: Limit = Limit { max: 32, what: "levels of nested selections" };
/// No useful query comes near: each of them costs one at least.
const FIELDS: Limit = Limit { max: 5_000, what: "selected fields, with those of its fragments" };

impl Limit {
    fn check(self, found: usize) -> ServerResult<()> {
        let Self { max, what } = self;
        if found <= max {
            return Ok(());
        }
        Err(exceeded(format!(
            "the query has {found} {what}, and no more than {max} are allowed: ask for less at once"
        )))
    }
}

/// Refuses queries beyond the limits; an extension for a schema.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits;

impl ExtensionFactory for Limits {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(*self)
    }
}

#[async_trait]
impl Extension for Limits {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        mut request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        TEXT.check(request.query.len())?;
        // The request keeps what was parsed, so nobody parses it again.
        check(request.parsed_query()?)?;
        next.run(ctx, request).await
    }

    /// The library says neither how much is allowed nor that this is a limit.
    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        next.run(ctx).await.map_err(|errors| errors.into_iter().map(name_limit).collect())
    }
}

fn name_limit(error: ServerError) -> ServerError {
    let said = match error.message.as_str() {
        "Query is too complex." => format!(
            "the query may cost more than {COST_MAX}, where each field costs 1 and a page as often its fields \
             as `first` says"
        ),
        "Query is nested too deep." => {
            format!("the query is nested in more than {DEPTH_MAX} levels")
        }
        _ => return error,
    };
    exceeded(format!("{said}: ask for less at once"))
}

fn exceeded(message: String) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", "LIMIT_EXCEEDED");
    let mut error = ServerError::new(message, None);
    error.extensions = Some(extensions);
    error
}

fn check(document: &ExecutableDocument) -> ServerResult<()> {
    let mut walk =
        Walk { fragments: &document.fragments, known: HashMap::new(), aliases: 0, directives: 0 };
    let mut fields = 0_usize;
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        walk.directives += operation.directives.len();
        for variable in &operation.variable_definitions {
            walk.directives += variable.node.directives.len();
        }
        let selected = walk.count(&operation.selection_set.node, 1)?;
        ROOT_FIELDS.check(selected.at_root)?;
        fields = fields.saturating_add(selected.in_all);
    }
    FIELDS.check(fields)?;
    ALIASES.check(walk.aliases)?;
    DIRECTIVES.check(walk.directives)
}

/// How many fields a selection has once its fragments are put in.
#[derive(Clone, Copy, Default)]
struct Selected {
    at_root: usize,
    in_all: usize,
}

/// A walk through a document that comes to each place once.
struct Walk<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    known: HashMap<&'a str, Selected>,
    aliases: usize,
    directives: usize,
}

impl<'a> Walk<'a> {
    fn count(&mut self, selection: &'a SelectionSet, level: usize) -> ServerResult<Selected> {
        let mut selected = Selected::default();
        if selection.items.is_empty() {
            return Ok(selected);
        }
        LEVELS.check(level)?;
        for item in &selection.items {
            self.directives += item.node.directives().len();
            let more = match &item.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    let below = self.count(&field.node.selection_set.node, level + 1)?;
                    Selected { at_root: 1, in_all: below.in_all.saturating_add(1) }
                }
                Selection::InlineFragment(fragment) => {
                    self.count(&fragment.node.selection_set.node, level + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.follow(&spread.node.fragment_name.node, level + 1)?
                }
            };
            selected.at_root = selected.at_root.saturating_add(more.at_root);
            selected.in_all = selected.in_all.saturating_add(more.in_all);
        }
        Ok(selected)
    }

    fn follow(&mut self, name: &'a Name, level: usize) -> ServerResult<Selected> {
        if let Some(known) = self.known.get(name.as_str()) {
            return Ok(*known);
        }
        // That there is no such fragment is said when the query is validated.
        let Some(fragment) = self.fragments.get(name) else { return Ok(Selected::default()) };
        self.directives += fragment.node.directives.len();
        let selected = self.count(&fragment.node.selection_set.node, level)?;
        self.known.insert(name.as_str(), selected);
        Ok(selected)
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    /// What is said of a query that is refused.
    fn said(query: &str) -> Option<String> {
        let error = check(&parse_query(query).unwrap()).err()?;
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code").cloned());
        assert_eq!(code, Some("LIMIT_EXCEEDED".into()));
        Some(error.message)
    }

    /// A name for each number, repeated with what `each` makes of it.
    fn many(count: usize, each: impl Fn(usize) -> String) -> String {
        (0..count).map(each).collect::<Vec<_>>().join(" ")
    }

    fn nested(levels: usize) -> String {
        format!("{}leaf{}", "{ deeper ".repeat(levels - 1) + "{ ", " }".repeat(levels))
    }

    #[test]
    fn thirty_aliases_are_allowed_and_thirty_one_are_not() {
        let query = |count| format!("{{ all {{ {} }} }}", many(count, |at| format!("a{at}: name")));
        assert_eq!(said(&query(30)), None);
        assert!(said(&query(31)).unwrap().contains("31 aliases, and no more than 30"));
    }

    #[test]
    fn aliases_of_fragments_count() {
        let aliases = |from: usize| many(16, |at| format!("a{}: name", from + at));
        let query = format!(
            "{{ all {{ {} ...More }} }} fragment More on Thing {{ {} }}",
            aliases(0),
            aliases(16)
        );
        assert!(said(&query).unwrap().contains("32 aliases"));
    }

    #[test]
    fn twenty_root_fields_are_allowed_and_twenty_one_are_not() {
        let query = |count| format!("{{ {} }}", many(count, |at| format!("f{at}")));
        assert_eq!(said(&query(20)), None);
        assert!(said(&query(21)).unwrap().contains("21 root fields in an operation, and no more"));
    }

    #[test]
    fn root_fields_are_found_in_fragments() {
        let spread = many(7, |_| "...Three".to_owned());
        let query =
            format!("{{ {spread} }} fragment Three on Query {{ a ... on Query {{ b c }} }}");
        assert!(said(&query).unwrap().contains("21 root fields"));
    }

    #[test]
    fn each_operation_has_root_fields_of_its_own() {
        let operation =
            |name: &str| format!("query {name} {{ {} }}", many(20, |at| format!("f{at}")));
        assert_eq!(said(&format!("{} {}", operation("A"), operation("B"))), None);
    }

    #[test]
    fn eight_directives_are_allowed_and_nine_are_not() {
        let query = |count| format!("{{ a {} }}", many(count, |_| "@skip(if: false)".to_owned()));
        assert_eq!(said(&query(8)), None);
        assert!(said(&query(9)).unwrap().contains("9 directives, and no more than 8"));
    }

    #[test]
    fn directives_count_wherever_they_stand() {
        let query = "query Q($v: Int @d) @d @d { a @d ...F @d ... @d { b } ...F @d } \
                     fragment F on Query @d { c @d }";
        assert!(said(query).unwrap().contains("9 directives"));
    }

    #[test]
    fn nesting_ends_at_thirty_two_levels() {
        assert_eq!(said(&nested(32)), None);
        assert!(said(&nested(33)).unwrap().contains("levels of nested selections"));
    }

    #[test]
    fn a_fragment_that_spreads_itself_is_refused() {
        for query in [
            "{ ...A } fragment A on Query { ...A ...A }",
            "{ ...A } fragment A on Query { a ...B ...B } fragment B on Query { b ...A ...A }",
        ] {
            assert!(said(query).unwrap().contains("levels of nested selections"));
        }
    }

    #[test]
    fn fragments_that_unfold_to_millions_of_fields_are_refused_at_once() {
        let bomb = many(25, |at| {
            format!("fragment F{at} on Thing {{ ...F{next} ...F{next} }}", next = at + 1)
        });
        let query = format!("{{ all {{ ...F0 }} }} {bomb} fragment F25 on Thing {{ name }}");
        assert!(said(&query).unwrap().contains("selected fields"));
    }

    #[test]
    fn the_fields_of_all_operations_count_together() {
        let fields = many(300, |at| format!("f{at}"));
        let operations = many(20, |at| format!("query Q{at} {{ all {{ ...F }} }}"));
        let query = format!("{operations} fragment F on Thing {{ {fields} }}");
        assert!(said(&query).unwrap().contains("6020 selected fields"));
    }

    #[test]
    fn a_spread_of_a_fragment_that_is_not_there_is_left_to_validation() {
        assert_eq!(said("{ ...Nowhere }"), None);
    }
}
