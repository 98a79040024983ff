//! S57: one canonical form of an identifier, unique in the database.

use serde_json::json;
use users_tests::{App, Kind, PASSWORD};

use crate::help::{at_once, statuses};

/// Twenty ways to write each of two addresses: in full, in another case, in another normal form, with spaces.
const SPELLINGS: [[&str; 5]; 2] = [
    [
        "race@example.com",
        "Race@Example.COM",
        "  race@example.com ",
        "ｒａｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "\u{a0}RACE@example.com",
    ],
    [
        "jos\u{e9}@example.com",
        "jose\u{301}@example.com",
        "JOS\u{c9}@EXAMPLE.COM",
        " Jose\u{301}@example.com",
        "ｊｏｓ\u{e9}@example.com",
    ],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s57_of_twenty_registrations_of_one_address_at_once_one_succeeds() {
    let app = App::start(Kind::Session).await;
    for (number, spellings) in (1..).zip(SPELLINGS) {
        let answers = at_once(20, |index| {
            let client = app.client();
            async move { client.register(spellings[index % spellings.len()], PASSWORD).await }
        })
        .await;
        assert_eq!(statuses(&answers), [(201, 1), (409, 19)].into());
        assert_eq!(app.count("SELECT COUNT(*) FROM users").await, number);
        // A registration that failed leaves nothing: no mail, no note of a hook.
        assert_eq!(app.count("SELECT COUNT(*) FROM hook_notes").await, number);
    }
    assert_eq!(app.mailbox.settled(app.mailbox.mails()[0].to.as_str()).await, 1);
}

#[tokio::test]
async fn s57_every_spelling_of_a_taken_address_is_409_and_logs_in() {
    let app = App::start(Kind::Session).await;
    for spellings in SPELLINGS {
        app.verified(spellings[0]).await;
        for spelling in spellings {
            app.client().register(spelling, PASSWORD).await.expect(409, "identifier_taken");
            let answer = app.client().log_in(spelling, PASSWORD).await.expect(201, "");
            assert_eq!(answer.json()["email"], spellings[0]);
        }
    }
}

#[tokio::test]
async fn s57_every_spelling_finds_the_account_at_forgot_and_resend() {
    let app = App::start(Kind::Session).await;
    let [address, ..] = SPELLINGS[1];
    app.client().register(address, PASSWORD).await.expect(201, "");
    app.mailbox.nth(address, 1).await;
    for (number, spelling) in (2..).zip(SPELLINGS[1]) {
        app.client().post("/verify/resend", &json!({"email": spelling})).await.expect(202, "");
        app.mailbox.nth(address, number).await;
    }
    for (number, spelling) in (7..).zip(SPELLINGS[1]) {
        app.client().forgot(spelling).await.expect(201, "");
        app.mailbox.nth(address, number).await;
    }
}

#[tokio::test]
async fn s57_the_address_is_shown_and_mailed_as_its_owner_wrote_it() {
    let app = App::start(Kind::Session).await;
    let answer = app.client().register(" Ada.Lovelace@Example.com ", PASSWORD).await.expect(201, "");
    assert_eq!(answer.json()["email"], "Ada.Lovelace@Example.com");
    app.mailbox.nth("Ada.Lovelace@Example.com", 1).await;
}

#[tokio::test]
async fn s57_look_alikes_separators_and_line_breaks_are_refused() {
    let app = App::start(Kind::Session).await;
    let refused = [
        // Cyrillic letters among Latin ones, and Cyrillic letters that all look Latin.
        ("p\u{430}ypal@example.com", "look_alike"),
        ("\u{430}\u{440}\u{440}\u{4cf}\u{435}@example.com", "look_alike"),
        ("ada@ex\u{430}mple.com", "look_alike"),
        ("ada@example.com,eve@example.com", "invalid_email"),
        ("ada,eve@example.com", "invalid_email"),
        ("ada\u{ff0c}eve@example.com", "invalid_email"),
        ("ada@example.com\r\nBcc: all@example.com", "invalid_email"),
        ("ada@example.com\n", "invalid_email"),
        ("ada\r@example.com", "invalid_email"),
        ("\"ada eve\"@example.com", "invalid_email"),
        ("Ada <ada@example.com>", "invalid_email"),
        ("ada\u{200b}@example.com", "invalid_email"),
        ("ada@example.com\u{202e}", "invalid_email"),
        ("ada", "invalid_email"),
        ("", "invalid_email"),
    ];
    for (address, code) in refused {
        let answer = app.client().register(address, PASSWORD).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("email: {code}")], "{address:?}");
    }
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
    assert_eq!(app.count("SELECT COUNT(*) FROM users_outbox").await, 0);
    // The same rules stand before a change.
    let ada = app.user("ada@example.com").await;
    for (address, code) in refused {
        let body = json!({"email": address, "current_password": PASSWORD});
        let answer = ada.patch("/users/me", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), [format!("email: {code}")], "{address:?}");
    }
}
