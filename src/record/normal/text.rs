//! Text: Unicode NFC, single spaces, and case folded where case does not count.

use unicode_normalization::UnicodeNormalization;

/// NFC with single spaces and none at the ends. Control characters count as spaces.
pub(super) fn plain(text: &str) -> String {
    if is_plain_ascii(text) {
        return text.to_owned();
    }
    let composed: String = text.nfc().collect();
    let spaced: String = composed
        .chars()
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Most text is, and is compared millions of times.
fn is_plain_ascii(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| (b' '..0x7f).contains(byte))
        && bytes.first() != Some(&b' ')
        && bytes.last() != Some(&b' ')
        && !bytes.windows(2).any(|pair| pair == b"  ")
}

/// [`plain`], without regard to case (Unicode default case folding).
#[must_use]
pub fn fold(text: &str) -> String {
    if is_plain_ascii(text) {
        return text.to_ascii_lowercase();
    }
    // Folding can undo the composition and composing can yield something to fold, for a handful of
    // characters; a second round settles those.
    let once = plain(&caseless::default_case_fold_str(&plain(text)));
    plain(&caseless::default_case_fold_str(&once))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composed_and_decomposed_are_the_same() {
        assert_eq!(plain("Jose\u{301}"), plain("José"));
        assert_eq!(fold("JOSE\u{301}  Ruiz"), fold("josé ruiz"));
    }

    #[test]
    fn folding_knows_more_than_ascii() {
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
    }
}
