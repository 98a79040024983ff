//! Bytes that are no credential: in `Authorization` or a cookie they are a 401, and never a 5xx.

use std::collections::BTreeSet;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Request},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::Value;
use tower::ServiceExt;
use users_tests::{App, Kind, each_backend};

use crate::support::{Carrier, carriers, get_raw, secret};

/// How many values each backend is tried with at least: five thousand over all of them.
const VALUES: usize = 1_000;

/// Texts that somebody might try, whatever the backend.
const TEXTS: [&str; 56] = [
    "",
    " ",
    "junk",
    "null",
    "undefined",
    "true",
    "0",
    "-1",
    "NaN",
    "a.b.c",
    "...",
    "..",
    ".",
    "e30.e30.",
    "e30.e30.e30",
    "ey.ey.ey",
    "eyJhbGciOiJub25lIn0.e30.",
    "=",
    "==",
    "' OR 1=1 --",
    "'; DROP TABLE users_sessions; --",
    "\"",
    "\\",
    "\"\"",
    "%00",
    "%",
    "%ff%fe",
    "{}",
    "[]",
    "{\"id\":null}",
    "{\"ends_at\":9223372036854775807}",
    "../../etc/passwd",
    "session:*",
    "users:entry:session:x",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "<script>",
    "\t\t",
    "Bearer",
    "Bearer Bearer x",
    "bearer",
    "session",
    "token",
    "=;=;",
    ";",
    ",",
    "1.",
    "0.",
    "2.",
    "6.",
    "7.",
    "18446744073709551615.",
    "18446744073709551616.",
    "-1.AAAA",
    "\u{e4}\u{1f980}",
    "\u{202e}x",
];

/// Bytes that are no text.
const BYTES: [&[u8]; 7] = [
    b"\xff\xfe\xfd",
    b"\x80",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
    b"\xef\xbb\xbf",
    b"\xc0\xae\xc0\xae",
];

/// What stands in the place of a character.
const REPLACEMENTS: [&[u8]; 14] =
    [b"A", b"_", b"-", b"=", b".", b"%", b"+", b"/", b" ", b"\"", b"\\", b"~", b"\x80", b"\xff"];

/// Steele, Lea and Flood's `SplitMix64`: the same numbers with each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A credential with one place changed, at up to 64 places.
fn mutations(real: &str, into: &mut BTreeSet<Vec<u8>>) {
    let bytes = real.as_bytes();
    for at in (0..bytes.len()).step_by(bytes.len().div_ceil(64)) {
        let (before, after) = bytes.split_at(at);
        for replacement in REPLACEMENTS {
            into.insert([before, replacement, &after[1..]].concat());
        }
        let mut swapped = bytes.to_vec();
        swapped.swap(at, (at + 1) % bytes.len());
        let mut flipped = bytes.to_vec();
        flipped[at] ^= if flipped[at].is_ascii_alphabetic() { 0x20 } else { 0x01 };
        into.extend([
            swapped,
            flipped,
            // Without this one, with it twice, and cut in two here.
            [before, &after[1..]].concat(),
            [before, &after[..1], after].concat(),
            [before, b".", after].concat(),
            before.to_vec(),
            after[1..].to_vec(),
            [after, before].concat(),
        ]);
    }
}

/// A credential written in another way, or with something around it.
fn spellings(real: &str, into: &mut BTreeSet<Vec<u8>>) {
    let percent = |byte: u8| format!("%{byte:02X}");
    let escaped: String = real.bytes().map(percent).collect();
    let hex = real.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let utf16: Vec<u8> = real.bytes().flat_map(|byte| [byte, 0x20]).collect();
    for text in [
        real.to_uppercase(),
        real.to_lowercase(),
        real.chars().rev().collect(),
        escaped,
        hex,
        real.replace('.', "%2E"),
        real.replace('.', " ."),
        real.replace('.', ".."),
        real.replace('-', "+").replace('_', "/") + "=",
        BASE64_STANDARD.encode(real),
        BASE64_URL_SAFE.encode(real),
        BASE64_URL_SAFE_NO_PAD.encode(real),
        format!("\"{real}\""),
        format!("'{real}'"),
        format!("<{real}>"),
        format!("{{\"token\":\"{real}\"}}"),
        format!("Bearer {real} {real}"),
        format!("Bearer:{real}"),
        format!("{real},{real}"),
        format!("{real} {real}"),
        format!("{real}\u{a0}"),
        format!("\u{feff}{real}"),
        format!("{real}%00"),
        format!("{real}%0d%0aSet-Cookie:%20a=b"),
        format!("{real}="),
        format!("{real}=="),
        format!("{real}.x"),
        format!("{real}."),
        format!(".{real}"),
        format!("+{real}"),
        format!("0{real}"),
        format!("1.{real}"),
        format!("2.{real}"),
        format!("session:{real}"),
        format!("session={real}"),
        format!("token={real}"),
    ] {
        into.insert(text.into_bytes());
    }
    into.insert(utf16);
    // The number in front of a sealed cookie has one spelling.
    if let Some((count, sealed)) = real.split_once('.').filter(|(count, _)| count.len() == 1) {
        for count in
            ["01", "+1", " 1", "1 ", "0", "2", "6", "7", "-1", "1e0", "1_", "\u{661}", &count.repeat(30)]
        {
            into.insert(format!("{count}.{sealed}").into_bytes());
        }
    }
}

/// Values of every length that some reader may mistake for the right one.
fn lengths(real: &str, into: &mut BTreeSet<Vec<u8>>) {
    for length in (0..=96).chain([127, 128, 129, 255, 256, 257, 1_024, 4_095, 4_096, 4_097, 8_191, 20_000]) {
        into.extend([b"A".repeat(length), b".".repeat(length)]);
        into.insert(BASE64_URL_SAFE_NO_PAD.encode(vec![0xa5; length]).into_bytes());
    }
    for times in [2, 3, 10, 40] {
        into.insert(real.repeat(times).into_bytes());
    }
    into.insert(b"\xe9".repeat(43));
}

/// Pieces of a credential, and others, in every order.
fn structures(real: &str, into: &mut BTreeSet<Vec<u8>>) {
    let mut pieces: Vec<&str> = real.split('.').collect();
    pieces.extend(["", "1", "e30", "W10", "bnVsbA", "eyJhbGciOiJub25lIn0", "AAAA"]);
    for one in &pieces {
        into.insert((*one).as_bytes().to_vec());
        for two in &pieces {
            into.insert(format!("{one}.{two}").into_bytes());
            for three in &pieces {
                into.insert(format!("{one}.{two}.{three}").into_bytes());
            }
        }
    }
    for count in [4, 5, 100] {
        into.insert(vec![pieces[0]; count].join(".").into_bytes());
    }
}

/// What looks like a credential and is none, and bytes without any order.
fn random(into: &mut BTreeSet<Vec<u8>>) {
    let mut numbers = Numbers(0x5331);
    for length in [16, 31, 32, 33, 48, 64, 120, 300] {
        for prefix in ["", "1.", "e30.e30."] {
            for _ in 0..4 {
                let text = BASE64_URL_SAFE_NO_PAD.encode(numbers.bytes(length));
                into.insert(format!("{prefix}{text}").into_bytes());
            }
        }
    }
    for length in 1..=128 {
        let bytes = numbers.bytes(length);
        // The others never reach a handler.
        into.insert(bytes.into_iter().filter(|byte| *byte >= 0x20 && *byte != 0x7f).collect());
    }
}

/// Values that are not this credential, in bytes that HTTP lets through.
fn corpus(real: &str, foreign: &str) -> BTreeSet<Vec<u8>> {
    let mut values = BTreeSet::new();
    values.extend(TEXTS.map(|text| text.as_bytes().to_vec()));
    values.extend(BYTES.map(<[u8]>::to_vec));
    mutations(real, &mut values);
    spellings(real, &mut values);
    lengths(real, &mut values);
    structures(real, &mut values);
    random(&mut values);
    values.insert(foreign.as_bytes().to_vec());
    // White space around a value, and what follows a semicolon, are no part of it (RFC 6265, section 5.2).
    let value =
        |bytes: &[u8]| bytes.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii().to_vec();
    values.retain(|bytes| value(bytes) != real.as_bytes());
    values
}

/// A header with a value where a backend looks for one.
fn line(kind: Kind, carrier: Carrier, value: &[u8]) -> (&'static str, Vec<u8>) {
    match carrier {
        Carrier::Header => ("authorization", [b"Bearer ", value].concat()),
        Carrier::Cookie => ("cookie", [b"a=b; ", kind.cookie().as_bytes(), b"=", value, b"; c=d"].concat()),
    }
}

/// What a request without a connection is answered; `None` for bytes that no connection lets through.
async fn ask(router: &Router, path: &str, (name, line): &(&'static str, Vec<u8>)) -> Option<(u16, Value)> {
    let value = HeaderValue::from_bytes(line).ok()?;
    let request = Request::get(path).header(*name, value).body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 64 * 1024).await.expect("a body");
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}

each_backend!(s31_no_bytes_in_a_credential_are_more_than_a_401, |app| async move {
    let real = secret(&app, &app.user("ada@example.com").await);
    let elsewhere = App::start(app.kind).await;
    let foreign = secret(&elsewhere, &elsewhere.user("ada@example.com").await);
    let values = corpus(&real, &foreign);
    assert!(values.len() >= VALUES, "{}", values.len());
    let mut tried = 0;
    for (number, value) in values.iter().enumerate() {
        for &carrier in carriers(app.kind) {
            let line = line(app.kind, carrier, value);
            let shown = String::from_utf8_lossy(&line.1[..line.1.len().min(400)]).into_owned();
            let Some((status, body)) = ask(&app.router, "/users/me", &line).await else { continue };
            assert_eq!((status, &body["code"]), (401, &"unauthenticated".into()), "{shown}");
            tried += 1;
            if number % 8 == 0 {
                let (status, body) = ask(&app.router, "/feed", &line).await.expect("it passed before");
                assert_eq!((status, &body["anonymous"]), (200, &true.into()), "{shown}");
            }
        }
    }
    assert!(tried >= VALUES, "{tried}");
    // The real one still works, sent the same way.
    for &carrier in carriers(app.kind) {
        let (status, body) =
            ask(&app.router, "/users/me", &line(app.kind, carrier, real.as_bytes())).await.expect("text");
        assert_eq!((status, &body["email"]), (200, &"ada@example.com".into()));
    }
});

each_backend!(s31_it_is_the_same_over_a_connection, |app| async move {
    let real = secret(&app, &app.user("ada@example.com").await);
    let texts = TEXTS.iter().map(|text| text.as_bytes()).chain(BYTES).step_by(3);
    for value in texts.chain([b"A".repeat(20_000).as_slice(), &real.as_bytes()[1..]]) {
        let name = app.kind.cookie().as_bytes();
        for (header, line) in [
            ("Authorization", [b"Bearer ", value].concat()),
            ("Authorization", value.to_vec()),
            ("Cookie", [name, b"=", value].concat()),
            ("Cookie", [b"a=b; ", name, b"=", value, b"; c=d"].concat()),
            ("Cookie", value.to_vec()),
        ] {
            let shown = String::from_utf8_lossy(&line[..line.len().min(60)]).into_owned();
            let closed = get_raw(&app.base, "GET", "/users/me", &[(header, &line)]).await;
            assert_eq!(closed.status, 401, "{header}: {shown}");
            assert_eq!(closed.json()["code"], "unauthenticated", "{header}: {shown}");
        }
    }
    let (name, line) = line(app.kind, carriers(app.kind)[0], real.as_bytes());
    assert_eq!(get_raw(&app.base, "GET", "/users/me", &[(name, &line)]).await.status, 200);
});

each_backend!(s31_bytes_that_http_forbids_never_reach_a_handler, |app| async move {
    for value in [&b"Bearer a\0b"[..], b"Bearer a\x01b", b"Bearer a\x7fb", b"Bearer a\nb", b"Bearer a\rb"] {
        for name in ["Authorization", "Cookie"] {
            let reply = get_raw(&app.base, "GET", "/users/me", &[(name, value)]).await;
            assert!(matches!(reply.status, 400 | 401), "{name}: {value:?}: {}", reply.status);
        }
    }
});
