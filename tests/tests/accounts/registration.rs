//! Who may register: everybody, everybody in private, or nobody. Invitations are in the suite `management`, with the
//! route that makes them.

use serde_json::json;
use users_runtime::Registration;
use users_tests::{Answer, App, Kind, PASSWORD, apps::HOOK_HEADER};

use crate::help::{app_with, at_once, statuses};

const KNOWN: &str = "ada@example.com";
const UNKNOWN: &str = "eve@example.com";

async fn private(kind: Kind) -> App {
    app_with(kind, |config| config.with_registration(Registration::Private)).await
}

/// Registers somebody in private mode, and proves the mailbox.
async fn proven(app: &App, email: &str) {
    let client = app.client();
    client.register(email, PASSWORD).await.expect(202, "");
    let token = app.mailbox.token(email, 1).await;
    client.verify(&token).await.expect(201, "");
}

/// Fails when anything but the date differs.
#[track_caller]
fn assert_same(one: &Answer, other: &Answer) {
    assert_eq!((one.status, &one.text), (other.status, &other.text));
    assert_eq!(one.stable_headers(), other.stable_headers());
}

#[tokio::test]
async fn s10_a_private_registration_is_answered_alike_whether_or_not_the_identifier_is_taken() {
    for kind in Kind::ALL {
        let app = private(kind).await;
        proven(&app, KNOWN).await;
        app.client().register("grace@example.com", PASSWORD).await.expect(202, "");
        app.mailbox.nth("grace@example.com", 1).await;
        let computations = app.admin.password_computations();
        let unknown = app.client().register(UNKNOWN, PASSWORD).await.expect(202, "");
        assert_eq!(unknown.text, "");
        assert_eq!(app.admin.password_computations() - computations, 1);
        for taken in [KNOWN, "ADA@Example.com", "grace@example.com", UNKNOWN] {
            let computations = app.admin.password_computations();
            assert_same(&app.client().register(taken, PASSWORD).await, &unknown);
            assert_eq!(app.admin.password_computations() - computations, 1, "{taken}");
        }
        assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 3, "{kind:?}");
    }
}

#[tokio::test]
async fn s10_whoever_has_the_account_is_told_and_a_newcomer_gets_the_mail_that_proves_the_mailbox() {
    let app = private(Kind::Session).await;
    proven(&app, KNOWN).await;
    app.client().register("Ada@example.com", "another long sentence").await.expect(202, "");
    let mail = app.mailbox.nth(KNOWN, 2).await;
    assert!(mail.subject.contains("already"), "{mail:?}");
    assert!(mail.text.contains("password reset") && !mail.text.contains("token="), "{}", mail.text);
    // Nothing was changed.
    app.client().log_in(KNOWN, "another long sentence").await.expect(401, "bad_credentials");
    app.client().log_in(KNOWN, PASSWORD).await.expect(201, "");
    // Somebody whose address a stranger registered first does not come to prove the stranger's account (S38).
    app.client().register(UNKNOWN, "the password of a stranger").await.expect(202, "");
    app.mailbox.token(UNKNOWN, 1).await;
    app.client().register(UNKNOWN, PASSWORD).await.expect(202, "");
    assert!(!app.mailbox.nth(UNKNOWN, 2).await.text.contains("token="));
}

#[tokio::test]
async fn s10_a_login_does_not_tell_that_a_private_registration_found_the_identifier_free() {
    let app = private(Kind::Jwt).await;
    proven(&app, KNOWN).await;
    for email in [KNOWN, UNKNOWN] {
        app.client().register(email, "what a stranger chose").await.expect(202, "");
    }
    let occupied = app.client().log_in(KNOWN, "what a stranger chose").await.expect(401, "bad_credentials");
    assert_same(&app.client().log_in(UNKNOWN, "what a stranger chose").await, &occupied);
    // It works once the mailbox is proven.
    let token = app.mailbox.token(UNKNOWN, 1).await;
    app.client().verify(&token).await.expect(201, "");
    app.client().log_in(UNKNOWN, "what a stranger chose").await.expect(201, "");
}

#[tokio::test]
async fn s10_hooks_make_no_difference_that_shows() {
    let app = private(Kind::Session).await;
    proven(&app, KNOWN).await;
    let register = async |email: &str, order: &str| {
        app.client().with_header(HOOK_HEADER, order).register(email, PASSWORD).await
    };
    // What is asked about everybody refuses everybody.
    let refused = register(UNKNOWN, "veto:before_register").await.expect(403, "vetoed");
    assert_same(&register(KNOWN, "veto:before_register").await, &refused);
    // What newcomers alone come to refuses in silence.
    for order in ["veto:after_register", "break:after_register"] {
        let kept = register(UNKNOWN, order).await.expect(202, "");
        assert_same(&register(KNOWN, order).await, &kept);
        assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1, "{order}");
    }
    assert_eq!(app.mailbox.settled(UNKNOWN).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_private_registrations_at_the_same_time_store_one_and_answer_all_alike() {
    let app = private(Kind::Session).await;
    let answers = at_once(8, |_| {
        let client = app.client();
        async move { client.register(KNOWN, PASSWORD).await }
    })
    .await;
    assert_eq!(statuses(&answers), [(202, 8)].into());
    assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn s10_a_new_identifier_that_is_taken_is_answered_like_a_free_one() {
    let app = private(Kind::Session).await;
    proven(&app, KNOWN).await;
    proven(&app, UNKNOWN).await;
    let ada = app.client();
    ada.log_in(KNOWN, PASSWORD).await.expect(201, "");
    let change = json!({"email": UNKNOWN, "current_password": PASSWORD});
    let answer = ada.patch("/users/me", &change).await.expect(200, "");
    assert_eq!(
        (&answer.json()["pending_identifier"], &answer.json()["email"]),
        (&json!(UNKNOWN), &json!(KNOWN))
    );
    assert!(app.mailbox.nth(UNKNOWN, 2).await.subject.contains("already"));
    app.mailbox.nth(KNOWN, 2).await;
}

#[tokio::test]
async fn rules_are_kept_in_private_too() {
    let app = private(Kind::Session).await;
    proven(&app, KNOWN).await;
    for email in [KNOWN, UNKNOWN] {
        let answer = app.client().register(email, "short").await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["password: password_too_short"]);
    }
}

#[tokio::test]
async fn nobody_registers_where_registration_is_closed() {
    for kind in Kind::ALL {
        let app = app_with(kind, |config| config.with_registration(Registration::Closed)).await;
        app.client().register(KNOWN, PASSWORD).await.expect(403, "registration_closed");
        app.client().post("/register", &json!({"whatever": 1})).await.expect(403, "registration_closed");
        assert_eq!(app.count("SELECT COUNT(*) FROM users").await, 0);
        assert_eq!(app.admin.password_computations(), 0);
    }
}

#[tokio::test]
async fn an_invitation_is_no_key_where_nobody_needs_one() {
    for mode in [Registration::Open, Registration::Private] {
        let app = app_with(Kind::Session, move |config| config.with_registration(mode)).await;
        let body = json!({"email": KNOWN, "password": PASSWORD, "invitation": "x"});
        let answer = app.client().post("/register", &body).await.expect(422, "validation_failed");
        assert_eq!(answer.fields(), ["invitation: unknown_field"], "{mode:?}");
    }
}

#[tokio::test]
async fn a_private_registration_that_could_not_be_one_does_not_start() {
    use users_runtime::{Config, SecretKey, Users};
    let config = || {
        Config::new(SecretKey::generate().expect("randomness"))
            .with_insecure_cookies(true)
            .with_registration(Registration::Private)
    };
    let unproven = config().with_required_verification(false);
    let problem =
        Users::<users_tests::apps::jwt::App>::connect("sqlite::memory:", unproven).await.unwrap_err();
    assert!(problem.to_string().starts_with("REGISTRATION: "), "{problem}");
    // Users of this application log in with names.
    let problem = Users::<users_tests::commands::numbered::App>::connect("sqlite::memory:", config())
        .await
        .unwrap_err();
    assert!(problem.to_string().starts_with("REGISTRATION: "), "{problem}");
}
