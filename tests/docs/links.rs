//! Where the pages lead to.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::pages::{folder, pages};

fn links(page: &str) -> Vec<String> {
    let starts = Parser::new(page).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    });
    starts.collect()
}

/// What the headings of a page are called in addresses: small letters, with hyphens between the words.
fn anchors(page: &str) -> BTreeSet<String> {
    let (mut anchors, mut heading) = (BTreeSet::new(), None);
    for event in Parser::new(page) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let text = heading.take().unwrap().to_lowercase();
                let kept = text.chars().filter(|one| one.is_alphanumeric() || " -_".contains(*one));
                anchors.insert(kept.collect::<String>().replace(' ', "-"));
            }
            _ => {}
        }
    }
    anchors
}

pub fn try_summary() {
    let summary = std::fs::read_to_string(folder().join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<String> = links(&summary).into_iter().collect();
    let there = pages().into_iter().map(|(name, _)| format!("{name}.md"));
    let there: BTreeSet<String> = there.filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(listed, there);
}

pub fn try_links() {
    let root = folder().join("../..").canonicalize().unwrap();
    let mut texts: Vec<_> =
        pages().into_iter().map(|(name, text)| (folder().join(name + ".md"), text)).collect();
    let readme = root.join("README.md");
    texts.push((readme.clone(), std::fs::read_to_string(readme).unwrap()));
    let mut seen = 0;
    for (page, text) in texts {
        for link in links(&text) {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", page.display());
            if !anchor.is_empty() {
                let anchors = anchors(&std::fs::read_to_string(&target).unwrap());
                assert!(anchors.contains(anchor), "{}: {link}: {anchors:?}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} links");
}
