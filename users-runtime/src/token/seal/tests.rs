use super::*;
use crate::token::{Keys, TokenSettings, mutation::mutated};

const NOW: i64 = 1_800_000_000_000;

fn secret() -> SecretKey {
    SecretKey::generate().unwrap()
}

fn keys(current: &SecretKey, old: &[SecretKey]) -> Keys {
    Keys::derive(current, old, &TokenSettings::default(), "https://app.example.com/").unwrap()
}

#[test]
fn what_is_sealed_opens_under_its_name_until_it_expires() {
    let keys = keys(&secret(), &[]);
    for plain in [&b""[..], b"x", &[0; 100], &[255; 2500]] {
        let text = keys.seal("session", NOW + 1, plain).unwrap();
        assert_eq!(keys.open("session", &text, NOW).unwrap().as_slice(), plain);
        assert!(keys.open("session", &text, NOW + 1).is_none());
        assert!(keys.open("session", &text, i64::MAX).is_none());
        for name in ["", "sessio", "session ", "Session", "__Host-session", "token"] {
            assert!(keys.open(name, &text, NOW).is_none(), "{name}");
        }
    }
    assert!(keys.open("session", &keys.seal("session", i64::MAX, b"x").unwrap(), NOW).is_some());
    assert!(keys.open("session", &keys.seal("session", i64::MIN, b"x").unwrap(), NOW).is_none());
}

#[test]
fn the_same_value_is_never_sealed_to_the_same_text() {
    let keys = keys(&secret(), &[]);
    let texts: std::collections::HashSet<_> =
        (0..1000).map(|_| keys.seal("session", NOW, b"x").unwrap()).collect();
    assert_eq!(texts.len(), 1000);
    // Neither the half that the key is derived with nor the nonce stays: the value and the tag differ too.
    let ends: std::collections::HashSet<_> = texts.iter().map(|text| &text[50..]).collect();
    assert_eq!(ends.len(), 1000);
}

#[test]
fn a_value_that_no_cookie_holds_is_refused() {
    let keys = keys(&secret(), &[]);
    assert!(keys.seal("session", NOW, &vec![0; 20_000]).is_err());
    let longest = (SEALED_MAX_BYTES / 4 * 3) - HEAD_BYTES - 2 * HALF_BYTES - TAG_BYTES;
    assert!(keys.open("session", &keys.seal("session", NOW, &vec![0; longest]).unwrap(), 0).is_some());
    assert!(keys.seal("session", NOW, &vec![0; longest + 1]).is_err());
}

#[test]
fn s30_an_old_key_opens_the_new_one_seals_and_a_removed_one_fails() {
    let (first, second) = (secret(), secret());
    let (before, after) = (keys(&first, &[]), keys(&second, &[first]));
    let old = before.seal("session", NOW, b"x").unwrap();
    assert!(after.open("session", &old, 0).is_some());
    let new = after.seal("session", NOW, b"x").unwrap();
    assert!(after.open("session", &new, 0).is_some());
    assert!(before.open("session", &new, 0).is_none());
    assert!(keys(&second, &[]).open("session", &old, 0).is_none());
}

#[test]
fn s31_the_head_is_vouched_for() {
    let keys = keys(&secret(), &[]);
    let bytes = BASE64_URL.decode(keys.seal("session", NOW, b"value").unwrap()).unwrap();
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut bytes = bytes.clone();
            bytes[index] ^= 1 << bit;
            assert!(
                keys.open("session", &BASE64_URL.encode(bytes), 0).is_none(),
                "bit {bit} of byte {index}"
            );
        }
    }
    for length in 0..bytes.len() {
        assert!(keys.open("session", &BASE64_URL.encode(&bytes[..length]), 0).is_none(), "{length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(keys.open("session", &BASE64_URL.encode(longer), 0).is_none());
}

#[test]
fn s31_one_text_alone_opens_to_a_value() {
    let keys = keys(&secret(), &[]);
    // Three lengths, so that the last character holds zero, two and four bits that mean nothing.
    for plain in [&b"abc"[..], b"abcd", b"abcde"] {
        let text = keys.seal("session", NOW, plain).unwrap();
        let (start, last) = text.split_at(text.len() - 1);
        for character in
            (0..128u8).map(char::from).filter(|character| *character != last.chars().next().unwrap())
        {
            assert!(keys.open("session", &format!("{start}{character}"), 0).is_none(), "{character:?}");
        }
        let (front, back) = text.split_at(20);
        for other in [
            format!("{text}="),
            format!("{text}=="),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{front}\r\n{back}"),
            format!("{text}."),
            format!("\"{text}\""),
            base64::prelude::BASE64_STANDARD.encode(BASE64_URL.decode(&text).unwrap()) + "=",
        ] {
            assert!(keys.open("session", &other, 0).is_none(), "{other:?}");
        }
    }
}

#[test]
fn s31_no_mutation_of_a_sealed_value_opens_or_panics() {
    let (keys, plain) = (keys(&secret(), &[secret()]), b"a value of some length, as a session is");
    let text = keys.seal("session", NOW, plain).unwrap();
    for _ in 0..20_000 {
        let mutated = mutated(&text);
        let opened = keys.open("session", &mutated, 0);
        assert_eq!(opened.is_some(), mutated == text, "{mutated:?}");
    }
    for text in ["", "=", ".", "\0", "\u{e4}\u{f6}", &"A".repeat(76), &"A".repeat(5000), "AQ", "AQAAAAA"] {
        assert!(keys.open("session", text, 0).is_none(), "{text:?}");
    }
}
