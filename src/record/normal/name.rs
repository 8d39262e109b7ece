//! Names of people: one field or two.

use super::text::plain;

/// Words that begin a family name rather than end a given one. Lower case; compared so.
const PARTICLES: [&str; 26] = [
    "al", "ap", "ben", "bin", "da", "dal", "de", "degli", "dei", "del", "della", "den", "der",
    "di", "do", "dos", "du", "el", "ibn", "la", "las", "le", "los", "ter", "van", "von",
];

/// A given name and a family name; either may be blank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The given name.
    pub first: String,
    /// The family name.
    pub last: String,
}

/// The whole name.
#[must_use]
pub fn join(parts: &Parts) -> String {
    plain(&format!("{} {}", parts.first, parts.last))
}

/// The parts of a whole name. `known` are parts that were seen together before, the best guess first:
/// as long as one of them is still there, what is left is the other, so that a double surname or a
/// name of one word is not cut anew because somebody corrected a letter elsewhere.
#[must_use]
pub fn split(full: &str, known: &[Parts]) -> Parts {
    let full = plain(full);
    let known: Vec<Parts> = known
        .iter()
        .map(|parts| Parts { first: plain(&parts.first), last: plain(&parts.last) })
        .collect();
    if let Some(same) = known.iter().find(|parts| join(parts) == full) {
        return same.clone();
    }
    for Parts { first, last } in &known {
        // One part was taken away, and the other left as it was.
        if full == *last && !first.is_empty() {
            return Parts { first: String::new(), last: full };
        }
        if full == *first && !last.is_empty() {
            return Parts { first: full, last: String::new() };
        }
    }
    for parts in &known {
        if let Some(first) = without_suffix(&full, &parts.last) {
            return Parts { first, last: parts.last.clone() };
        }
        if let Some(last) = without_prefix(&full, &parts.first) {
            return Parts { first: parts.first.clone(), last };
        }
    }
    guess(&full)
}

/// Both parts of a whole name of which one is known; none where it is not in the name.
#[must_use]
pub fn around(full: &str, is_first: bool, part: &str) -> Option<Parts> {
    let (full, part) = (plain(full), plain(part));
    if full == part {
        let blank = String::new();
        return Some(if is_first {
            Parts { first: part, last: blank }
        } else {
            Parts { first: blank, last: part }
        });
    }
    if is_first {
        without_prefix(&full, &part).map(|last| Parts { first: part, last })
    } else {
        without_suffix(&full, &part).map(|first| Parts { first, last: part })
    }
}

fn without_suffix(full: &str, last: &str) -> Option<String> {
    let rest = full.strip_suffix(last).filter(|_| !last.is_empty())?;
    rest.strip_suffix(' ').filter(|first| !first.is_empty()).map(str::to_owned)
}

fn without_prefix(full: &str, first: &str) -> Option<String> {
    let rest = full.strip_prefix(first).filter(|_| !first.is_empty())?;
    rest.strip_prefix(' ').filter(|last| !last.is_empty()).map(str::to_owned)
}

/// The family name begins at the first particle after the first word, else it is the last word. A
/// name of one word is a given name.
fn guess(full: &str) -> Parts {
    let words: Vec<&str> = full.split(' ').collect();
    let particle = words
        .iter()
        .enumerate()
        .skip(1)
        .find(|(at, word)| {
            at + 1 < words.len() && PARTICLES.contains(&word.to_lowercase().as_str())
        })
        .map(|(at, _)| at);
    let cut = particle.unwrap_or_else(|| words.len().saturating_sub(1)).max(1);
    let (first, last) = words.split_at(cut.min(words.len()));
    Parts { first: first.join(" "), last: last.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(first: &str, last: &str) -> Parts {
        Parts { first: first.into(), last: last.into() }
    }

    #[test]
    fn a_particle_begins_the_family_name() {
        assert_eq!(split("Ludwig van Beethoven", &[]), parts("Ludwig", "van Beethoven"));
        assert_eq!(split("Ana de la Cruz", &[]), parts("Ana", "de la Cruz"));
        assert_eq!(split("Ana María Ruiz", &[]), parts("Ana María", "Ruiz"));
    }

    #[test]
    fn one_word_is_a_given_name() {
        assert_eq!(split("Madonna", &[]), parts("Madonna", ""));
        assert_eq!(split("", &[]), parts("", ""));
        assert_eq!(split("van", &[]), parts("van", ""));
        assert_eq!(split("Ana van", &[]), parts("Ana", "van"));
    }

    #[test]
    fn known_parts_that_still_fit_are_kept() {
        let double = parts("Ana", "López García");
        assert_eq!(split("Ana López García", std::slice::from_ref(&double)), double);
        assert_eq!(
            split("Eva López García", std::slice::from_ref(&double)),
            parts("Eva", "López García")
        );
        assert_eq!(
            split("Ana López Garzón", std::slice::from_ref(&double)),
            parts("Ana", "López Garzón")
        );
        assert_eq!(split("Madonna", &[parts("", "Madonna")]), parts("", "Madonna"));
        assert_eq!(split("López García", std::slice::from_ref(&double)), parts("", "López García"));
        assert_eq!(split("Eva Ruiz", &[double]), parts("Eva", "Ruiz"));
    }

    #[test]
    fn a_part_of_a_word_is_not_a_part_of_the_name() {
        assert_eq!(split("Ana MacDonald", &[parts("Ana", "Donald")]), parts("Ana", "MacDonald"));
        assert_eq!(split("Anabel Diaz", &[parts("Ana", "Ruiz")]), parts("Anabel", "Diaz"));
    }
}
