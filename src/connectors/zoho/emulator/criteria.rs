//! The criteria of a search: `((Email:equals:a@b.c)or(Phone:starts_with:1))`.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::json;

use super::answer::Refusal;
use super::catalogue::{Catalogue, Module};

const CRITERIA_MAX: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equals,
    StartsWith,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Criteria {
    One { field: String, comparison: Comparison, value: String },
    All(Vec<Criteria>),
    Any(Vec<Criteria>),
}

impl Criteria {
    pub(super) fn parse(
        text: &str,
        module: Module,
        catalogue: &Catalogue,
    ) -> Result<Self, Refusal> {
        let mut parser = Parser { rest: text.chars().peekable(), found: 0 };
        let criteria = parser.list().filter(|_| parser.rest.next().is_none());
        let criteria = criteria.ok_or_else(|| invalid("criteria"))?;
        if parser.found > CRITERIA_MAX {
            return Err(Refusal::long_param("criteria", CRITERIA_MAX));
        }
        match criteria.unknown_field(module, catalogue) {
            Some(field) => Err(invalid(field)),
            None => Ok(criteria),
        }
    }

    fn unknown_field(&self, module: Module, catalogue: &Catalogue) -> Option<&str> {
        match self {
            Self::One { field, .. } => {
                catalogue.field(module, field).is_none().then_some(field.as_str())
            }
            Self::All(list) | Self::Any(list) => {
                list.iter().find_map(|criteria| criteria.unknown_field(module, catalogue))
            }
        }
    }
}

fn invalid(name: &str) -> Refusal {
    Refusal::new(400, "INVALID_QUERY", "invalid query formed", json!({"api_name": name}))
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    found: u64,
}

impl Parser<'_> {
    /// Groups in brackets with `and` or `or` between them, all the same.
    fn list(&mut self) -> Option<Criteria> {
        let mut list = vec![self.group()?];
        let mut joint = None;
        while self.rest.peek().is_some_and(char::is_ascii_alphabetic) {
            let mut word = String::new();
            while let Some(letter) = self.rest.next_if(char::is_ascii_alphabetic) {
                word.push(letter);
            }
            let is_any = match word.as_str() {
                "or" => true,
                "and" => false,
                _ => return None,
            };
            if joint.is_some_and(|joint| joint != is_any) {
                return None;
            }
            joint = Some(is_any);
            list.push(self.group()?);
        }
        match joint {
            None => list.pop(),
            Some(true) => Some(Criteria::Any(list)),
            Some(false) => Some(Criteria::All(list)),
        }
    }

    fn group(&mut self) -> Option<Criteria> {
        self.rest.next_if_eq(&'(')?;
        if self.rest.peek() != Some(&'(') {
            return self.one();
        }
        let list = self.list()?;
        self.rest.next_if_eq(&')')?;
        Some(list)
    }

    fn one(&mut self) -> Option<Criteria> {
        self.found += 1;
        let field = self.until(':')?;
        let comparison = match self.until(':')?.as_str() {
            "equals" => Comparison::Equals,
            "starts_with" => Comparison::StartsWith,
            _ => return None,
        };
        let value = self.until(')')?;
        Some(Criteria::One { field, comparison, value })
    }

    /// What stands before this sign. A backslash takes the meaning from the sign after it.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '\\' => text.push(self.rest.next()?),
                '(' | ')' | ',' if end == ':' => return None,
                sign if sign == end => return Some(text),
                '(' | ',' => return None,
                sign => text.push(sign),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Criteria, Refusal> {
        Criteria::parse(text, Module::Contacts, &Catalogue::standard())
    }

    fn email(value: &str) -> Criteria {
        let (field, value) = ("Email".to_owned(), value.to_owned());
        Criteria::One { field, comparison: Comparison::Equals, value }
    }

    #[test]
    fn groups_may_stand_in_brackets_of_their_own() {
        let both = Criteria::Any(vec![email("a@b.c"), email("d@e.f")]);
        assert_eq!(parse("((Email:equals:a@b.c)or(Email:equals:d@e.f))").unwrap(), both);
        assert_eq!(parse("(Email:equals:a@b.c)or(Email:equals:d@e.f)").unwrap(), both);
        assert_eq!(parse("(Email:equals:a@b.c)").unwrap(), email("a@b.c"));
    }

    #[test]
    fn signs_with_a_meaning_need_a_backslash() {
        assert_eq!(parse(r"(Email:equals:a\(b\,c\))").unwrap(), email("a(b,c)"));
        assert!(parse("(Email:equals:a,b)").is_err());
    }

    #[test]
    fn unknown_fields_words_and_loose_ends_are_refused() {
        for bad in ["(Foo:equals:1)", "(Email:like:1)", "(Email:equals:1", "Email:equals:1", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
