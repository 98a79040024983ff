use super::*;

/// The targets that these rules allow.
fn allowed<'t>(rules: &[&str], targets: &[&'t str]) -> Vec<&'t str> {
    let rules: Vec<_> = rules.iter().map(|rule| RedirectRule::parse(rule).unwrap()).collect();
    targets.iter().copied().filter(|target| redirect_target(&rules, target).is_some()).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn s47_an_origin_allows_its_own_pages() {
    let targets = [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/welcome",
        "https://app.example.com/a/b?c=d&e=https://evil.example/",
        "https://app.example.com/?next=%2Fhome",
        "https://app.example.com/a%20b",
        "https://app.example.com/@evil.example",
    ];
    assert_eq!(allowed(&["https://app.example.com"], &targets), targets);
    for target in targets {
        let rules = [RedirectRule::parse("https://app.example.com/").unwrap()];
        let url = redirect_target(&rules, target).unwrap();
        assert_eq!(url.host_str(), Some("app.example.com"));
        assert_eq!(url.as_str().trim_end_matches('/'), target.trim_end_matches('/'));
    }
}

#[test]
fn s47_nothing_is_allowed_by_default() {
    assert_eq!(allowed(&[], &["https://app.example.com/", "/", "", "http://127.0.0.1/"]), NOTHING);
}

#[test]
fn s47_another_host_is_never_allowed_however_it_is_written() {
    let tricks = [
        "https://evil.example",
        "https://evil.example/https://app.example.com",
        "https://evil.example/?https://app.example.com/",
        "https://evil.example/#https://app.example.com/",
        "https://evil.example\\@app.example.com/",
        "https://evil.example#@app.example.com/",
        "https://evil.example?@app.example.com/",
        "https://app.example.com@evil.example",
        "https://app.example.com@evil.example/",
        "https://app.example.com:443@evil.example/",
        "https://app.example.com%40evil.example/",
        "https://app.example.com:password@evil.example/",
        "https://app.example.com.evil.example",
        "https://app.example.com.evil.example/",
        "https://app.example.comevil.example/",
        "https://app.example.com-evil.example/",
        "https://evilapp.example.com/",
        "https://evil.app.example.com/",
        "https://example.com/",
        "https://app.example.org/",
        "https://app.example.co",
        "https://app.example.com./",
        "https://app.example.com../",
        "https://.app.example.com/",
        "https://app..example.com/",
        "https://app.example.com%2eevil.example/",
        "https://app.example.com%2fevil.example/",
        "https://app.example.com%00.evil.example/",
        "https://app.example.com\0.evil.example/",
        "https://app.example.com\u{2f}\u{2f}evil.example@evil.example/",
        "https://app.example.com\u{ff0f}evil.example/",
        "https://app.example.com\u{2044}evil.example/",
        "https://\u{430}pp.example.com/",
        "https://app.ex\u{e4}mple.com/",
        "https://xn--pp-6kc.example.com/",
        "https://app\u{3002}example\u{3002}com.evil.example/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://2130706433/",
        "//evil.example",
        "//evil.example/app.example.com",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https:\\\\evil.example",
        "https://\\evil.example",
        "http:evil.example",
        " https://evil.example",
        "\nhttps://evil.example",
        "hTTps://evil.example",
    ];
    assert!(tricks.len() >= 40);
    assert_eq!(allowed(&["https://app.example.com"], &tricks), NOTHING);
    assert_eq!(allowed(&["https://app.example.com/welcome"], &tricks), NOTHING);
}

#[test]
fn s47_another_origin_of_the_same_host_is_not_allowed() {
    let tricks = [
        "http://app.example.com/",
        "https://app.example.com:8443/",
        "https://app.example.com:80/",
        "ftp://app.example.com/",
        "ws://app.example.com/",
        "wss://app.example.com/",
        "blob:https://app.example.com/1",
        "view-source:https://app.example.com/",
    ];
    assert_eq!(allowed(&["https://app.example.com"], &tricks), NOTHING);
    assert_eq!(
        allowed(
            &["https://app.example.com:8443"],
            &["https://app.example.com:8443/", "https://app.example.com/"]
        ),
        ["https://app.example.com:8443/"]
    );
}

#[test]
fn s47_what_is_no_address_of_a_page_is_not_allowed() {
    let tricks = [
        "",
        "/",
        "/welcome",
        "welcome",
        "../welcome",
        "?next",
        "#top",
        ".",
        "javascript:alert(1)",
        "javascript://app.example.com/%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,hello",
        "data://app.example.com/,hello",
        "file:///etc/passwd",
        "file://app.example.com/etc/passwd",
        "vbscript:msgbox(1)",
        "about:blank",
        "mailto:ada@app.example.com",
        "intent://app.example.com/#Intent;scheme=https;end",
        "com.example.app://app.example.com/",
        "https:",
        "https://",
        "https:///",
        "app.example.com",
        "app.example.com/welcome",
        "//app.example.com",
        "://app.example.com",
    ];
    assert_eq!(allowed(&["https://app.example.com"], &tricks), NOTHING);
}

#[test]
fn s47_an_address_that_two_parsers_could_read_in_two_ways_is_not_allowed() {
    let tricks = [
        "HTTPS://app.example.com/",
        "https://APP.example.com/",
        "https://app.example.com:443/",
        "https://app.example.com:/",
        "https://app.example.com:0443/",
        "https:app.example.com/",
        "https:/app.example.com/",
        "https:///app.example.com/",
        "https:\\\\app.example.com\\",
        "https://app.example.com\\welcome",
        "https://app.example.com/\\evil.example",
        "https://app.example.com//evil.example",
        "https://app.example.com/a//b",
        "https://app.example.com/a/../b",
        "https://app.example.com/a/./b",
        "https://app.example.com/..",
        "https://app.example.com/%2e%2e/b",
        "https://app.example.com/.%2E/b",
        "https://app.example.com/%2fevil.example",
        "https://app.example.com/%2Fevil.example",
        "https://app.example.com/%5cevil.example",
        "https://app.example.com/a%00",
        "https://app.example.com/a\0",
        "https://app.example.com/a\tb",
        "https://app.example.com/a\r\nSet-Cookie: a=b",
        "https://app.example.com/a b",
        "https://app.example.com/\u{e4}",
        "https://app.example.com/<script>",
        "https://app.example.com/?a=\"b\"",
        " https://app.example.com/",
        "https://app.example.com/ ",
        "https://app.example.com/\n",
        "\u{feff}https://app.example.com/",
        "https://\u{ff41}pp.example.com/",
        "https://app\u{3002}example.com/",
        "https://app%2eexample.com/",
        "https://ada@app.example.com/",
        "https://ada:secret@app.example.com/",
        "https://@app.example.com/",
        "https://:@app.example.com/",
        "https://app.example.com/#",
        "https://app.example.com/#evil",
        "https://app.example.com#@evil.example",
        "https://app.example.com/a#access_token=b",
        &format!("https://app.example.com/{}", "a".repeat(2048)),
    ];
    assert!(tricks.len() >= 40);
    assert_eq!(allowed(&["https://app.example.com"], &tricks), NOTHING);
}

#[test]
fn s47_a_path_in_a_rule_is_compared_by_whole_segments() {
    let targets = [
        "https://app.example.com/signed-in",
        "https://app.example.com/signed-in/",
        "https://app.example.com/signed-in/a/b?c=d",
        "https://app.example.com/signed-in?c=d",
    ];
    assert_eq!(allowed(&["https://app.example.com/signed-in"], &targets), targets);
    assert_eq!(allowed(&["https://app.example.com/signed-in/"], &targets), targets);
    let others = [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/signed",
        "https://app.example.com/signed-in-by-evil",
        "https://app.example.com/signed-in.evil",
        "https://app.example.com/Signed-In",
        "https://app.example.com/signed%2din",
        "https://app.example.com/a/signed-in",
        "https://app.example.com/?/signed-in",
        "https://app.example.com/signed-in/../evil",
        "https://app.example.com/signed-in/%2e%2e/evil",
        "https://app.example.com/signed-in%2f..%2fevil",
        "https://app.example.com/signed-in/..%2fevil",
        "https://app.example.com/signed-in/..%5cevil",
        "https://app.example.com/signed-in;/evil",
    ];
    assert_eq!(allowed(&["https://app.example.com/signed-in"], &others), NOTHING);
}

#[test]
fn s47_http_is_for_loopback() {
    for rule in ["http://localhost:5173", "http://127.0.0.1:5173", "http://[::1]:5173"] {
        let page = format!("{rule}/welcome");
        assert_eq!(allowed(&[rule], &[&page]), [page.as_str()]);
        for other in [
            "http://localhost/",
            "http://127.0.0.1:5174/",
            "https://localhost:5173/",
            "http://127.0.0.2:5173/",
            "http://0x7f.1:5173/",
            "http://127.1:5173/",
            "http://localhost.:5173/",
            "http://localhost.evil.example:5173/",
        ] {
            assert_eq!(allowed(&[rule], &[other]), NOTHING, "{rule}");
        }
    }
}

#[test]
fn s47_a_rule_that_would_not_say_what_it_seems_to_is_refused() {
    for rule in [
        "",
        "app.example.com",
        "*",
        "https://*",
        "https://*.example.com",
        "https://",
        "/welcome",
        "http://app.example.com",
        "http://192.168.0.1",
        "http://localhost.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "data:text/html,",
        "file:///",
        "com.example.app://callback",
        "https://ada@app.example.com",
        "https://:secret@app.example.com",
        "https://app.example.com/?a=b",
        "https://app.example.com/#a",
    ] {
        assert!(RedirectRule::parse(rule).is_err(), "{rule}");
    }
}
