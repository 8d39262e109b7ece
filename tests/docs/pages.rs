//! The pages of the book, and the blocks of code in them.

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Where the pages are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src")
}

/// The names of all pages, without their ending, and their texts.
pub fn pages() -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    let pages = files.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut pages: Vec<(String, String)> = pages
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    pages.sort();
    pages
}

/// The blocks of code of this kind, in order.
pub fn blocks(page: &str, kind: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_in = false;
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(told))) if *told == *kind => {
                is_in = true;
                found.push(String::new());
            }
            Event::Text(text) if is_in => found.last_mut().unwrap().push_str(&text),
            Event::End(TagEnd::CodeBlock) => is_in = false,
            _ => {}
        }
    }
    found
}
