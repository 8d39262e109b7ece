//! From words to a statement.

use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::json;

use super::statement::{Column, Comparison, Filter, Literal, Statement, Test};
use super::words::{Word, split};
use crate::connectors::zoho::emulator::answer::Refusal;

/// Records that come where no limit is given.
const LIMIT_DEFAULT: usize = 200;

type Result<T> = std::result::Result<T, Refusal>;

pub(super) fn parse(text: &str) -> Result<Statement> {
    let words = split(text).ok_or_else(|| wrong("select"))?;
    let mut parser = Parser { words: words.into_iter().peekable() };
    let statement = parser.statement()?;
    if parser.words.next().is_some() {
        return Err(wrong("end"));
    }
    Ok(statement)
}

fn wrong(clause: &str) -> Refusal {
    Refusal::new(400, "SYNTAX_ERROR", "invalid query formed", json!({"clause": clause}))
}

struct Parser {
    words: Peekable<IntoIter<Word>>,
}

impl Parser {
    fn statement(&mut self) -> Result<Statement> {
        self.demand("select", "select")?;
        let mut columns = vec![self.column("select")?];
        while self.has_sign(",") {
            columns.push(self.column("select")?);
        }
        self.demand("from", "from")?;
        let module = self.name("from")?;
        // Without criteria there is no statement.
        self.demand("where", "where")?;
        let filter = self.criterion()?;
        let mut order = Vec::new();
        if self.has_keyword("order") {
            self.demand("by", "order by")?;
            order.push(self.sorting()?);
            while self.has_sign(",") {
                order.push(self.sorting()?);
            }
        }
        let (limit, offset) = self.limit()?;
        Ok(Statement { columns, module, filter, order, limit, offset })
    }

    /// A comparison, or one or two criteria in brackets.
    fn criterion(&mut self) -> Result<Filter> {
        if !self.has_sign("(") {
            return self.comparison();
        }
        let left = self.criterion()?;
        let filter = if self.has_keyword("and") {
            Filter::Both(Box::new(left), Box::new(self.criterion()?))
        } else if self.has_keyword("or") {
            Filter::Either(Box::new(left), Box::new(self.criterion()?))
        } else {
            left
        };
        // A third one would need brackets of its own.
        if self.has_sign(")") { Ok(filter) } else { Err(wrong("where")) }
    }

    fn comparison(&mut self) -> Result<Filter> {
        let column = self.column("where")?;
        let test = if self.has_keyword("is") {
            let is_not = self.has_keyword("not");
            self.demand("null", "where")?;
            if is_not { Test::IsNotNull } else { Test::IsNull }
        } else if self.has_keyword("between") {
            let from = self.literal()?;
            self.demand("and", "where")?;
            Test::Between(from, self.literal()?)
        } else if self.has_keyword("not") {
            if self.has_keyword("like") {
                Test::NotLike(self.pattern()?)
            } else {
                self.demand("in", "where")?;
                Test::NotIn(self.list()?)
            }
        } else if self.has_keyword("in") {
            Test::In(self.list()?)
        } else if self.has_keyword("like") {
            Test::Like(self.pattern()?)
        } else {
            Test::Compare(self.sign()?, self.literal()?)
        };
        Ok(Filter::One(column, test))
    }

    fn sign(&mut self) -> Result<Comparison> {
        match self.words.next() {
            Some(Word::Sign("=")) => Ok(Comparison::Equal),
            Some(Word::Sign("!=")) => Ok(Comparison::NotEqual),
            Some(Word::Sign("<")) => Ok(Comparison::Less),
            Some(Word::Sign("<=")) => Ok(Comparison::LessOrEqual),
            Some(Word::Sign(">")) => Ok(Comparison::Greater),
            Some(Word::Sign(">=")) => Ok(Comparison::GreaterOrEqual),
            _ => Err(wrong("where")),
        }
    }

    fn literal(&mut self) -> Result<Literal> {
        match self.words.next() {
            Some(Word::Text(text)) => Ok(Literal::Text(text)),
            Some(Word::Number(text)) => Ok(Literal::Number(text)),
            Some(Word::Name(name)) if name.eq_ignore_ascii_case("true") => Ok(Literal::Truth(true)),
            Some(Word::Name(name)) if name.eq_ignore_ascii_case("false") => {
                Ok(Literal::Truth(false))
            }
            _ => Err(wrong("where")),
        }
    }

    fn pattern(&mut self) -> Result<String> {
        match self.words.next() {
            Some(Word::Text(text)) => Ok(text),
            _ => Err(wrong("where")),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>> {
        if !self.has_sign("(") {
            return Err(wrong("where"));
        }
        let mut list = vec![self.literal()?];
        while self.has_sign(",") {
            list.push(self.literal()?);
        }
        if self.has_sign(")") { Ok(list) } else { Err(wrong("where")) }
    }

    fn sorting(&mut self) -> Result<(Column, bool)> {
        let column = self.column("order by")?;
        let is_descending = self.has_keyword("desc");
        if !is_descending {
            self.has_keyword("asc");
        }
        Ok((column, is_descending))
    }

    /// The limit and the offset, in either of their two forms.
    fn limit(&mut self) -> Result<(usize, usize)> {
        if !self.has_keyword("limit") {
            let offset = if self.has_keyword("offset") { self.number()? } else { 0 };
            return Ok((LIMIT_DEFAULT, offset));
        }
        let first = self.number()?;
        if self.has_sign(",") {
            return Ok((self.number()?, first));
        }
        let offset = if self.has_keyword("offset") { self.number()? } else { 0 };
        Ok((first, offset))
    }

    fn number(&mut self) -> Result<usize> {
        match self.words.next() {
            Some(Word::Number(text)) => text.parse().map_err(|_| wrong("limit")),
            _ => Err(wrong("limit")),
        }
    }

    fn column(&mut self, clause: &str) -> Result<Column> {
        self.name(clause).map(|name| Column::named(&name))
    }

    fn name(&mut self, clause: &str) -> Result<String> {
        match self.words.next() {
            Some(Word::Name(name)) if !is_keyword(&name) => Ok(name),
            _ => Err(wrong(clause)),
        }
    }

    /// Takes a keyword, if it comes next.
    fn has_keyword(&mut self, keyword: &str) -> bool {
        let is_it = |word: &Word| matches!(word, Word::Name(n) if n.eq_ignore_ascii_case(keyword));
        self.words.next_if(is_it).is_some()
    }

    /// Takes a sign, if it comes next.
    fn has_sign(&mut self, sign: &str) -> bool {
        self.words.next_if(|word| matches!(word, Word::Sign(known) if *known == sign)).is_some()
    }

    fn demand(&mut self, keyword: &str, clause: &str) -> Result<()> {
        if self.has_keyword(keyword) { Ok(()) } else { Err(wrong(clause)) }
    }
}

fn is_keyword(name: &str) -> bool {
    let words = ["select", "from", "where", "order", "by", "limit", "offset", "and", "or", "not"];
    words.iter().any(|word| name.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_criteria_need_brackets() {
        let all = |filter: &str| parse(&format!("select id from Contacts where {filter}"));
        assert!(all("id > '1'").is_ok());
        assert!(all("(A = 'x' and (B = 'y' or C = 'z'))").is_ok());
        assert!(all("A = 'x' and B = 'y'").is_err());
        assert!(all("(A = 'x' and B = 'y' and C = 'z')").is_err());
    }

    #[test]
    fn limits_come_in_two_forms() {
        let limit = |text: &str| {
            let text = format!("select id from Contacts where id > 0 {text}");
            parse(&text).map(|statement| (statement.limit, statement.offset)).unwrap()
        };
        assert_eq!(limit(""), (200, 0));
        assert_eq!(limit("limit 7"), (7, 0));
        assert_eq!(limit("limit 20, 7"), (7, 20));
        assert_eq!(limit("limit 7 offset 20"), (7, 20));
    }

    #[test]
    fn only_whole_select_statements_are_read() {
        for bad in ["", "delete from Contacts", "select id from Contacts", "select * from Contacts"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
