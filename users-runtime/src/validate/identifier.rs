//! The one form in which identifiers are compared, and the look-alikes that have none.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton};

use super::Violation;

/// What an identifier has to look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierKind {
    /// An e-mail address.
    Email,
    /// A name of 1 to 64 letters, digits, `.`, `_` and `-`, with at least one letter or digit.
    Username,
}

/// An identifier in the form to show and in the form to compare.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CanonicalIdentifier {
    /// As its owner typed it, trimmed and in NFKC, so that what is shown and mailed differs from what is
    /// compared in case only. To show a user to other users, `canonical` is the safer form.
    pub typed: String,
    /// In lower case and NFKC: unique in the database, and the key of every look-up and limit.
    pub canonical: String,
}

/// More than any valid identifier takes before normalisation, in bytes. NFKC can multiply the length by 18, so
/// the work is bounded before it starts.
const TYPED_MAX_BYTES: usize = 1024;
/// The longest address that fits an SMTP path (RFC 5321, section 4.5.3.1.3), in bytes.
pub(crate) const EMAIL_MAX_BYTES: usize = 254;
/// The longest local part (RFC 5321, section 4.5.3.1.1), in bytes.
const LOCAL_PART_MAX_BYTES: usize = 64;
/// The longest label of a domain (RFC 1035, section 2.3.4), in bytes.
const LABEL_MAX_BYTES: usize = 63;
/// The longest username, in code points.
pub(crate) const USERNAME_MAX: usize = 64;
/// What an unquoted local part may hold besides letters, digits and single dots (RFC 5322, `atext`). The backtick
/// is left out with the other quotes; the apostrophe is in, for the O'Briens.
const LOCAL_PART_SYMBOLS: &str = "!#$%&'*+-/=?^_{|}~";

/// The canonical form of an identifier as typed: trimmed, NFKC, lower case.
///
/// Letters of all scripts pass. What could be taken for another identifier does not: mixed scripts, and letters that
/// all look like ASCII ones (Unicode Technical Standard 39, sections 4 and 5.2).
///
/// # Errors
/// `invalid_email` or `invalid_username` when the form is wrong, `look_alike` when it imitates another.
///
/// # Examples
/// ```
/// use users_runtime::{IdentifierKind, canonicalise};
///
/// let identifier = canonicalise(IdentifierKind::Email, " Ada@Example.COM ")?;
/// assert_eq!(identifier.typed, "Ada@Example.COM");
/// assert_eq!(identifier.canonical, "ada@example.com");
/// # Ok::<(), users_runtime::Violation>(())
/// ```
pub fn canonicalise(kind: IdentifierKind, typed: &str) -> Result<CanonicalIdentifier, Violation> {
    if typed.len() > TYPED_MAX_BYTES {
        return Err(malformed(kind, "is too long"));
    }
    // A line break at the end is refused like one inside (header injection); other white space is a slip of the hand.
    let trimmed = typed.trim_matches(|c: char| c.is_whitespace() && !c.is_control());
    let typed: String = trimmed.nfkc().collect();
    let canonical = fold(&typed);
    for form in [&typed, &canonical] {
        let grammar = match kind {
            IdentifierKind::Email => email_grammar(form),
            IdentifierKind::Username => username_grammar(form),
        };
        grammar.map_err(|problem| malformed(kind, problem))?;
    }
    // The parts that a reader takes in as one: the local part, each label, the whole of a username.
    let parts: Vec<&str> = match (kind, canonical.split_once('@')) {
        (IdentifierKind::Email, Some((local, domain))) => {
            std::iter::once(local).chain(domain.split('.')).collect()
        }
        _ => vec![&canonical],
    };
    if parts.into_iter().any(imitates_another) {
        return Err(Violation::new(
            "look_alike",
            "mixes scripts or could be taken for another name; use letters of one script",
        ));
    }
    Ok(CanonicalIdentifier { typed, canonical })
}

/// The canonical form of how an identifier begins, as far as a beginning has one; `None` for one that is longer than any
/// identifier.
pub(crate) fn canonical_prefix(typed: &str) -> Option<String> {
    (typed.len() <= TYPED_MAX_BYTES)
        .then(|| fold(typed.trim_matches(|c: char| c.is_whitespace() && !c.is_control())))
}

/// The one form of a role's name: trimmed, NFKC, lower case; 1 to 64 letters, digits, spaces and `.`, `_`, `-`, `:`.
///
/// # Errors
/// `invalid_role` when the form is wrong, `look_alike` when it could be taken for another name.
pub fn canonical_role_name(typed: &str) -> Result<String, Violation> {
    let malformed = || {
        let detail = "write 1 to 64 letters, digits, spaces and `.`, `_`, `-`, `:`";
        Violation::new("invalid_role", detail)
    };
    if typed.len() > TYPED_MAX_BYTES {
        return Err(malformed());
    }
    let name = fold(typed.trim_matches(' '));
    let fits = (1..=USERNAME_MAX).contains(&name.chars().count())
        && name.chars().all(|c| is_word(c) || matches!(c, ' ' | '.' | '_' | '-' | ':'))
        && name.chars().any(is_word)
        && !name.contains("  ")
        && !has_loose_mark(&name);
    if !fits {
        return Err(malformed());
    }
    if name.split(' ').any(imitates_another) {
        return Err(Violation::new(
            "look_alike",
            "could be taken for another name; use letters of one script",
        ));
    }
    Ok(name)
}

fn malformed(kind: IdentifierKind, problem: &'static str) -> Violation {
    match kind {
        IdentifierKind::Email => {
            Violation::new("invalid_email", format!("{problem}; write an address such as `name@example.com`"))
        }
        IdentifierKind::Username => Violation::new(
            "invalid_username",
            format!("{problem}; write 1 to {USERNAME_MAX} letters, digits, `.`, `_` and `-`"),
        ),
    }
}

/// Lower case and NFKC until nothing changes: lower-casing can undo the normal form. Two rounds settle every
/// character; the bound is there so that no input can ever make this loop for long.
fn fold(typed: &str) -> String {
    let mut form = typed.to_owned();
    for _ in 0..4 {
        // The final sigma is the one letter whose lower case depends on its neighbours.
        let next: String = form.to_lowercase().replace('ς', "σ").nfkc().collect();
        if next == form {
            break;
        }
        form = next;
    }
    form
}

/// A letter or digit of any script in common use, or a mark of one. Zero-width, bidirectional, filler and control
/// characters are neither, whatever their place in the Unicode tables.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || (!c.is_ascii() && c.identifier_allowed() && (c.is_alphanumeric() || is_combining_mark(c)))
}

/// Whether a mark stands where it would change the look of a separator.
fn has_loose_mark(text: &str) -> bool {
    let mut after_word = false;
    text.chars().any(|c| {
        let loose = is_combining_mark(c) && !after_word;
        after_word = is_word(c);
        loose
    })
}

fn email_grammar(address: &str) -> Result<(), &'static str> {
    if address.len() > EMAIL_MAX_BYTES {
        return Err("is too long");
    }
    let Some((local, domain)) = address.split_once('@') else {
        return Err("has no `@`");
    };
    if local.is_empty() || local.len() > LOCAL_PART_MAX_BYTES {
        return Err("needs 1 to 64 bytes before the `@`");
    }
    if local.split('.').any(str::is_empty) {
        return Err("has a dot at the wrong place");
    }
    if !local.chars().all(|c| is_word(c) || c == '.' || LOCAL_PART_SYMBOLS.contains(c))
        || has_loose_mark(local)
    {
        return Err("holds a character that addresses do not");
    }
    domain_grammar(domain)
}

fn domain_grammar(domain: &str) -> Result<(), &'static str> {
    let Some((_, top_level)) = domain.rsplit_once('.') else {
        return Err("has no top-level domain");
    };
    for label in domain.split('.') {
        if label.is_empty() || label.len() > LABEL_MAX_BYTES {
            return Err("needs 1 to 63 bytes between the dots of its domain");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("has a hyphen at the wrong place");
        }
        if !label.chars().all(|c| is_word(c) || c == '-') || has_loose_mark(label) {
            return Err("holds a character that domains do not");
        }
    }
    // An address of a machine, such as 127.0.0.1, is no domain.
    if top_level.chars().all(char::is_numeric) {
        return Err("has a number for its top-level domain");
    }
    Ok(())
}

fn username_grammar(name: &str) -> Result<(), &'static str> {
    if !(1..=USERNAME_MAX).contains(&name.chars().count()) {
        return Err("is empty or too long");
    }
    if !name.chars().all(|c| is_word(c) || matches!(c, '.' | '_' | '-')) || has_loose_mark(name) {
        return Err("holds a character that names do not");
    }
    if !name.chars().any(is_word) {
        return Err("has neither a letter nor a digit");
    }
    Ok(())
}

/// Whether a reader could take a part in canonical form for another: a homograph.
fn imitates_another(part: &str) -> bool {
    if part.is_ascii() {
        return false;
    }
    // Separators belong to no script and are not identifier characters, which would hide the level of the rest.
    let letters: String = part.chars().filter(|&c| is_word(c)).collect();
    !letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
        || skeleton(part).all(|c| c.is_ascii())
        // The dot of `i` and `j` hides a second one: the lower case of the Turkish `İ` looks like `i`.
        || part.contains("i\u{307}")
        || part.contains("j\u{307}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_have_one_form() {
        for (typed, canonical) in [
            (" Administrator ", "administrator"),
            ("Project Manager", "project manager"),
            ("billing:read", "billing:read"),
            ("ＡＤＭＩＮ", "admin"),
            ("Größe", "größe"),
        ] {
            assert_eq!(canonical_role_name(typed).as_deref(), Ok(canonical), "{typed}");
        }
        for typed in ["", "  ", "a\nb", "a\0", "a  b", "<b>", "-", &"x".repeat(65), &"x".repeat(2000)] {
            assert_eq!(canonical_role_name(typed).unwrap_err().code, "invalid_role", "{typed:?}");
        }
        // Cyrillic letters that look like Latin ones.
        assert_eq!(canonical_role_name("\u{430}dmin").unwrap_err().code, "look_alike");
    }

    const PASS: &[(&str, &str)] = &[
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace+news@Example.COM\u{a0}", "ada.lovelace+news@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("a@b.co", "a@b.co"),
        ("1.2@3.example", "1.2@3.example"),
        ("x@xn--bcher-kva.example", "x@xn--bcher-kva.example"),
        ("josé@example.com", "josé@example.com"),
        ("jose\u{301}@example.com", "josé@example.com"),
        ("用户@example.com", "用户@example.com"),
        ("пользователь@example.com", "пользователь@example.com"),
        ("пользователь@пример.испытание", "пользователь@пример.испытание"),
        ("Ünïcode@EXAMPLE.com", "ünïcode@example.com"),
        ("müller@bücher.example", "müller@bücher.example"),
        ("उपयोगकर्ता@example.com", "उपयोगकर्ता@example.com"),
        ("ユーザーabc@例え.jp", "ユーザーabc@例え.jp"),
        // Full-width forms, ligatures and other compatibility characters.
        ("ｕｓｅｒ＠ｅｘａｍｐｌｅ．ｃｏｍ", "user@example.com"),
        ("ﬁnn@example.com", "finn@example.com"),
        ("\u{212a}elvin@example.com", "kelvin@example.com"),
        ("ſam@example.com", "sam@example.com"),
        ("ℌ²@example.com", "h2@example.com"),
        // Letters whose case is not one to one.
        ("GROẞ@example.com", "groß@example.com"),
        ("groß@example.com", "groß@example.com"),
        ("ΟΔΥΣΣΕΥΣ@example.com", "οδυσσευσ@example.com"),
        ("οδυσσευς@example.com", "οδυσσευσ@example.com"),
    ];

    const MALFORMED: &[&str] = &[
        "",
        " ",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@example",
        "ada@@example.com",
        "ada@example.com@example.com",
        "ada @example.com",
        "ada@exam ple.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: all@example.com",
        "\tada@example.com",
        "ada\0@example.com",
        "ada\u{7f}@example.com",
        "ada,eve@example.com",
        "ada，eve@example.com",
        "ada;eve@example.com",
        "\"ada\"@example.com",
        "“ada”@example.com",
        "`ada`@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "ada(comment)@example.com",
        "ada\\eve@example.com",
        "[ada]@example.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        "ada@example.123",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@.example.com",
        "ada@example.com.",
        "ada@example..com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exam_ple.com",
        "ada@example。com",
        // Invisible: zero-width, bidirectional, soft hyphen, filler, joiner, selector, tag.
        "ada\u{200b}@example.com",
        "ada\u{200d}@example.com",
        "\u{feff}ada@example.com",
        "ada@example\u{202e}.com",
        "ada@example\u{2066}.com",
        "a\u{ad}da@example.com",
        "ada\u{3164}@example.com",
        "ada\u{34f}@example.com",
        "ada\u{fe0f}@example.com",
        "ada\u{e0061}@example.com",
        "ada\u{2028}@example.com",
        // A mark on a separator.
        "\u{301}ada@example.com",
        "ada.\u{301}@example.com",
        "ada@example.\u{301}com",
        "🦀@example.com",
        "ada@🦀.example",
    ];

    const LOOK_ALIKE: &[&str] = &[
        "раураӏ@example.com",
        "РАУРАӀ@example.com",
        "pаypal@example.com",
        "аррӏе@example.com",
        "ada@аррӏе.com",
        "ada@exаmple.com",
        "ada@example.со",
        "αdmin@example.com",
        "ο@example.com",
        "kapı@example.com",
        "İstanbul@example.com",
        "i\u{307}stanbul@example.com",
        "用户пользователь@example.com",
    ];

    fn email(typed: &str) -> Result<CanonicalIdentifier, Violation> {
        canonicalise(IdentifierKind::Email, typed)
    }

    #[test]
    fn s57_addresses_have_one_canonical_form() {
        for (typed, canonical) in PASS {
            let identifier = email(typed).unwrap_or_else(|violation| panic!("{typed}: {violation:?}"));
            assert_eq!(&identifier.canonical, canonical, "{typed}");
        }
    }

    #[test]
    fn s57_canonicalisation_is_idempotent() {
        for (typed, _) in PASS {
            let once = email(typed).unwrap();
            assert_eq!(email(&once.canonical).unwrap().canonical, once.canonical, "{typed}");
            assert_eq!(email(&once.typed).unwrap(), once, "{typed}");
        }
    }

    #[test]
    fn s57_folding_is_idempotent_for_every_character() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    #[test]
    fn s57_what_is_typed_keeps_its_case_and_nothing_invisible() {
        let identifier = email(" Jose\u{301}@EXAMPLE．com ").unwrap();
        assert_eq!(identifier.typed, "José@EXAMPLE.com");
    }

    #[test]
    fn s57_malformed_addresses_are_refused() {
        for typed in MALFORMED {
            assert_eq!(email(typed).unwrap_err().code, "invalid_email", "{typed:?}");
        }
    }

    #[test]
    fn s57_look_alikes_are_refused() {
        for typed in LOOK_ALIKE {
            assert_eq!(email(typed).unwrap_err().code, "look_alike", "{typed:?}");
        }
    }

    #[test]
    fn s57_lengths_are_counted_in_bytes_of_the_form_that_is_stored() {
        let local = "l".repeat(64);
        assert!(email(&format!("{local}@example.com")).is_ok());
        assert!(email(&format!("{local}l@example.com")).is_err());
        assert!(email(&format!("{}@example.com", "é".repeat(32))).is_ok());
        assert!(email(&format!("{}@example.com", "é".repeat(33))).is_err());

        let label = "d".repeat(63);
        assert!(email(&format!("a@{label}.com")).is_ok());
        assert!(email(&format!("a@{label}d.com")).is_err());

        let longest = format!("{}@{label}.{label}.{}", "l".repeat(62), label);
        assert_eq!(longest.len(), EMAIL_MAX_BYTES);
        assert!(email(&longest).is_ok());
        assert!(email(&format!("l{longest}")).is_err());
        // A ligature of 18 letters, many times over: refused before it is expanded.
        assert!(email(&format!("{}@example.com", "\u{fdfa}".repeat(5000))).is_err());
    }

    #[test]
    fn s57_usernames_have_one_canonical_form_too() {
        let username = |typed: &str| canonicalise(IdentifierKind::Username, typed);
        for (typed, canonical) in [
            ("Ada", "ada"),
            (" ada.lovelace_1815-x ", "ada.lovelace_1815-x"),
            ("_ada", "_ada"),
            ("Ａｄａ", "ada"),
            ("Жанна", "жанна"),
            ("用户", "用户"),
        ] {
            let identifier = username(typed).unwrap();
            assert_eq!(identifier.canonical, canonical, "{typed}");
            assert_eq!(username(canonical).unwrap().canonical, canonical, "{typed}");
        }
        for typed in ["", "..", "-", "a b", "a@b.example", "a,b", "a\nb", "a\u{200b}b", "a/b", "<b>", "a\0"] {
            assert_eq!(username(typed).unwrap_err().code, "invalid_username", "{typed:?}");
        }
        for typed in ["аdmin", "раураӏ", "раураӏ_1"] {
            assert_eq!(username(typed).unwrap_err().code, "look_alike", "{typed:?}");
        }
        assert!(username(&"é".repeat(64)).is_ok());
        assert!(username(&"é".repeat(65)).is_err());
    }
}
