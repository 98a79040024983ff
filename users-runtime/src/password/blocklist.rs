//! The passwords that everybody tries first.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Common passwords of 8 code points and more, folded, one a line, sorted by bytes; `data/README.md` says where
/// they come from.
const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// Whether a folded password is a common one.
pub(super) fn is_common(folded: &str) -> bool {
    has_line(COMMON.as_bytes(), folded.as_bytes())
}

/// The form that passwords are compared in, here and with context words: NFKC, each character in lower case.
///
/// It is never what is hashed (S03).
pub(super) fn fold(text: &str) -> Zeroizing<String> {
    // Room for the usual growth: a string that moves leaves a copy behind.
    let mut folded = Zeroizing::new(String::with_capacity(4 * text.len()));
    folded.extend(text.nfkc().flat_map(char::to_lowercase));
    folded
}

/// Binary search in sorted lines, without an index.
fn has_line(lines: &[u8], wanted: &[u8]) -> bool {
    // Both always lie at the start of a line, or at the end of the last one.
    let (mut low, mut high) = (0, lines.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = lines[low..middle].iter().rposition(|&byte| byte == b'\n').map_or(low, |at| low + at + 1);
        let end = lines[middle..high].iter().position(|&byte| byte == b'\n').map_or(high, |at| middle + at);
        match lines[start..end].cmp(wanted) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = high.min(end + 1),
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s04_the_list_has_ten_thousand_passwords_that_the_length_rule_lets_through() {
        assert!(COMMON.lines().filter(|line| line.chars().count() >= 8).count() >= 10_000);
    }

    #[test]
    fn s04_the_list_is_sorted_distinct_and_folded() {
        let lines: Vec<_> = COMMON.lines().collect();
        assert!(lines.is_sorted_by(|a, b| a.as_bytes() < b.as_bytes()));
        for line in lines {
            assert_eq!(fold(line).as_str(), line);
        }
    }

    #[test]
    fn s04_every_line_is_found_and_nothing_between_them() {
        for line in COMMON.lines() {
            assert!(is_common(line), "{line}");
            assert!(!is_common(&format!("{line}\u{1}")), "{line}");
        }
        for absent in
            ["", "\n", "correct horse battery staple", "zzzzzzzzzzzzzzzzzzzz", "password\npassword1"]
        {
            assert!(!is_common(absent), "{absent}");
        }
    }

    #[test]
    fn a_search_works_on_lists_of_every_small_size() {
        let words = ["b", "bb", "d", "f", "ff"];
        for count in 0..=words.len() {
            for end in ["", "\n"] {
                let list = words[..count].join("\n") + if count == 0 { "" } else { end };
                for word in words {
                    let listed = words[..count].contains(&word);
                    assert_eq!(has_line(list.as_bytes(), word.as_bytes()), listed, "{list:?} {word}");
                }
                for absent in ["a", "c", "e", "g", "bbb", ""] {
                    assert!(!has_line(list.as_bytes(), absent.as_bytes()), "{list:?} {absent}");
                }
            }
        }
    }
}
