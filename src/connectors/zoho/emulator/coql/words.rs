//! The words that a statement is made of.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A name or a keyword.
    Name(String),
    /// What stands between quotes.
    Text(String),
    Number(String),
    Sign(&'static str),
}

/// The words of a statement; none, if something in it is no word.
pub(super) fn split(text: &str) -> Option<Vec<Word>> {
    let mut rest = text.chars().peekable();
    let mut words = Vec::new();
    while let Some(next) = rest.peek().copied() {
        let word = match next {
            sign if sign.is_whitespace() => {
                rest.next();
                continue;
            }
            '\'' => Word::Text(quoted(&mut rest)?),
            sign if sign.is_ascii_digit() || sign == '-' => {
                rest.next();
                let tail = take(&mut rest, |sign| sign.is_ascii_digit() || sign == '.');
                Word::Number(format!("{sign}{tail}"))
            }
            sign if sign.is_alphabetic() || sign == '_' || sign == '$' => {
                Word::Name(take(&mut rest, |sign| sign.is_alphanumeric() || "_.$".contains(sign)))
            }
            _ => Word::Sign(sign(&mut rest)?),
        };
        words.push(word);
    }
    Some(words)
}

fn take(rest: &mut Peekable<Chars>, is_part: fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(sign) = rest.next_if(|sign| is_part(*sign)) {
        text.push(sign);
    }
    text
}

/// A backslash takes its meaning from the sign after it.
fn quoted(rest: &mut Peekable<Chars>) -> Option<String> {
    rest.next();
    let mut text = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(text),
            '\\' => text.push(rest.next()?),
            sign => text.push(sign),
        }
    }
}

fn sign(rest: &mut Peekable<Chars>) -> Option<&'static str> {
    let first = rest.next()?;
    let mut and_equal = |with: &'static str, without: &'static str| {
        if rest.next_if_eq(&'=').is_some() { with } else { without }
    };
    match first {
        '(' => Some("("),
        ')' => Some(")"),
        ',' => Some(","),
        '=' => Some("="),
        '>' => Some(and_equal(">=", ">")),
        '<' => Some(and_equal("<=", "<")),
        '!' => Some(and_equal("!=", "")).filter(|sign| !sign.is_empty()),
        _ => None,
    }
}
