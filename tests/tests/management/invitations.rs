//! Invitations: who makes them, what they are good for, and for whom.

use std::time::Duration;

use serde_json::json;
use users_runtime::{Error, NewInvitation, Registration};
use users_tests::{Answer, Client, PASSWORD};

use crate::support::{Office, Server, office, roles_of};

const EMAIL: &str = "ada@example.com";

/// An application in which more people than administrators manage users, and none of them roles.
#[users_runtime::users_app(
    auth = "session",
    user = super::office::Worker,
    routes(auth, register, verify, users(guard = users_runtime::any_of(["administrator", "support"])), roles, docs)
)]
pub mod desk {}

async fn by_invitation() -> Office {
    Office::start_with(|config| config.with_registration(Registration::InviteOnly), |router| router).await
}

async fn register(client: &Client, email: &str, token: &str) -> Answer {
    client.post("/register", &json!({"email": email, "password": PASSWORD, "invitation": token})).await
}

/// The token of an invitation that no mail carries.
async fn token_for(office: &Office, new: NewInvitation) -> String {
    office.users.create_invitation(new).await.expect("an invitation").token.expose().to_owned()
}

#[tokio::test]
async fn an_administrator_invites_somebody_who_registers_and_is_verified_at_once() {
    let office = by_invitation().await;
    let admin = office.administrator().await;
    admin.post("/users/roles", &json!({"name": "accountant"})).await.expect(201, "");
    let body = json!({"email": "Ada@Example.com", "roles": ["Accountant"]});
    assert_eq!(admin.post("/users/invitations", &body).await.expect(202, "").text, "");
    let mail = office.mailbox.nth("Ada@Example.com", 1).await;
    assert!(mail.text.contains("/register#token=") && mail.text.contains("within 7 days"), "{}", mail.text);
    let token = office.mailbox.token("Ada@Example.com", 1).await;

    let ada = office.client();
    let user = register(&ada, EMAIL, &token).await.expect(201, "").json();
    assert_eq!((&user["is_verified"], &user["is_active"]), (&json!(true), &json!(true)));
    assert_eq!(roles_of(&user), ["accountant"]);
    ada.log_in(EMAIL, PASSWORD).await.expect(201, "");
    // No mail asks for proof of what an invitation has proven.
    assert_eq!(office.mailbox.settled(EMAIL).await, 0);
}

#[tokio::test]
async fn nobody_registers_without_an_invitation_of_their_own() {
    let office = by_invitation().await;
    let client = office.client();
    let bare = client.register(EMAIL, PASSWORD).await.expect(422, "validation_failed");
    assert_eq!(bare.fields(), ["invitation: required"]);
    let token = token_for(&office, NewInvitation::new(EMAIL)).await;
    let other = if token.starts_with('e') { 'f' } else { 'e' };
    let tampered = format!("{other}{}", &token[1..]);
    let cut = &token[..token.len() - 1];
    for wrong in ["", "x", &tampered, cut, &format!("{token}AAAA"), &"A".repeat(43), &"A".repeat(9000)] {
        register(&client, EMAIL, wrong).await.expect(400, "invitation_invalid");
    }
    register(&client, "eve@example.com", &token).await.expect(400, "invitation_invalid");
    let short = NewInvitation::new(EMAIL).with_lifetime(Duration::from_millis(1));
    let expired = token_for(&office, short).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    register(&client, EMAIL, &expired).await.expect(400, "invitation_invalid");
    // A token of another kind is none.
    office.users.create_user(crate::support::registration("eve@example.com")).await.expect("a user");
    client.forgot("eve@example.com").await.expect(201, "");
    let reset = office.mailbox.token("eve@example.com", 1).await;
    register(&client, EMAIL, &reset).await.expect(400, "invitation_invalid");
    client.reset(&token, PASSWORD).await.expect(400, "token_invalid");
    // Another key is refused beside it, and one that is there twice.
    let body = json!({"email": EMAIL, "password": PASSWORD, "invitation": token, "is_active": true});
    let answer = client.post("/register", &body).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["is_active: unknown_field"]);
    let twice = format!(
        r#"{{"email": "{EMAIL}", "password": "{PASSWORD}", "invitation": "{token}", "invitation": "{token}"}}"#
    );
    let request = client.request("POST", "/register").header("content-type", "application/json").body(twice);
    let answer = client.send(request).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["invitation: duplicate_field"]);
    let body = json!({"email": EMAIL, "password": PASSWORD, "invitation": 7});
    let answer = client.post("/register", &body).await.expect(422, "validation_failed");
    assert_eq!(answer.fields(), ["invitation: invalid_type"]);
    // All that left the invitation good.
    register(&client, EMAIL, &token).await.expect(201, "");
}

#[tokio::test]
async fn an_invitation_is_good_once_also_when_the_account_is_deleted_or_renamed() {
    let office = by_invitation().await;
    let admin = office.administrator().await;
    let token = token_for(&office, NewInvitation::new(EMAIL)).await;
    let client = office.client();
    let user = register(&client, EMAIL, &token).await.expect(201, "").json();
    register(&client, EMAIL, &token).await.expect(400, "invitation_invalid");
    let path = format!("/users/{}", user["id"].as_str().expect("a key"));
    let change = json!({"email": "countess@example.com", "is_verified": true});
    admin.patch(&path, &change).await.expect(200, "");
    register(&client, EMAIL, &token).await.expect(400, "invitation_invalid");
    admin.delete(&path, &serde_json::Value::Null).await.expect(200, "");
    register(&client, EMAIL, &token).await.expect(400, "invitation_invalid");
    // Whoever is wanted back is invited anew.
    let again = token_for(&office, NewInvitation::new(EMAIL)).await;
    register(&client, EMAIL, &again).await.expect(201, "");
}

#[tokio::test]
async fn invitations_are_checked_when_they_are_made() {
    let office = by_invitation().await;
    let admin = office.administrator().await;
    for (body, status, field) in [
        (json!({}), 422, "email: required"),
        (json!({"email": "nobody"}), 422, "email: invalid_email"),
        (json!({"email": EMAIL, "roles": ["no such role"]}), 422, "roles: unknown_role"),
        (json!({"email": EMAIL, "role": "administrator"}), 422, "role: unknown_field"),
        (json!({"email": EMAIL, "roles": "administrator"}), 422, "roles: invalid_type"),
    ] {
        let answer = admin.post("/users/invitations", &body).await.expect(status, "validation_failed");
        assert_eq!(answer.fields(), [field], "{body}");
    }
    let taken = json!({"email": "admin@example.com"});
    admin.post("/users/invitations", &taken).await.expect(409, "identifier_taken");
    let worker = office.person("grace@example.com", &[]).await;
    worker.post("/users/invitations", &json!({"email": EMAIL})).await.expect(403, "forbidden");
    office.client().post("/users/invitations", &json!({"email": EMAIL})).await.expect(401, "unauthenticated");
    assert_eq!(office.mailbox.settled(EMAIL).await, 0);
}

#[tokio::test]
async fn who_may_not_give_a_role_may_not_promise_it() {
    let settings = |config: users_runtime::Config| config.with_registration(Registration::InviteOnly);
    let desk = Server::<desk::App>::start_with(settings, |router| router).await;
    let user =
        desk.users.create_user(crate::support::registration("desk@example.com")).await.expect("a user");
    desk.users.grant(user.id, "support").await.expect("a role");
    desk.users.grant(user.id, "accountant").await.expect("a role");
    let client = desk.client();
    client.log_in("desk@example.com", PASSWORD).await.expect(201, "");
    for roles in [json!(["administrator"]), json!(["accountant"])] {
        let body = json!({"email": EMAIL, "roles": roles});
        client.post("/users/invitations", &body).await.expect(403, "forbidden");
    }
    client.post("/users/invitations", &json!({"email": EMAIL})).await.expect(202, "");
    desk.mailbox.nth(EMAIL, 1).await;
}

#[tokio::test]
async fn a_role_that_is_gone_is_not_given() {
    let office = by_invitation().await;
    let admin = office.administrator().await;
    let role = admin.post("/users/roles", &json!({"name": "accountant"})).await.expect(201, "").json();
    let token = token_for(&office, NewInvitation::new(EMAIL).with_roles(["accountant"])).await;
    let path = format!("/users/roles/{}", role["id"].as_str().expect("a key"));
    admin.delete(&path, &serde_json::Value::Null).await.expect(200, "");
    let user = register(&office.client(), EMAIL, &token).await.expect(201, "").json();
    assert!(roles_of(&user).is_empty(), "{user}");
}

#[tokio::test]
async fn there_are_no_invitations_where_nobody_needs_one() {
    let office = Office::start().await;
    let admin = office.administrator().await;
    admin.post("/users/invitations", &json!({"email": EMAIL})).await.expect(405, "method_not_allowed");
    let refused = office.users.create_invitation(NewInvitation::new(EMAIL)).await.unwrap_err();
    assert!(matches!(refused, Error::Setting { .. }), "{refused}");
}

#[tokio::test]
async fn a_function_of_the_applications_own_answers_for_the_route() {
    async fn refuse(
        _users: users_runtime::Scope<office::App>,
        _request: users_runtime::Parts,
        new: NewInvitation,
    ) -> Result<(), Error> {
        Err(Error::refused("not_today", format!("nobody invites {} today", new.identifier)))
    }
    let office = Office::start_with(
        |config| config.with_registration(Registration::InviteOnly),
        |router| router.with_invite_user(refuse),
    )
    .await;
    let admin = office.administrator().await;
    admin.post("/users/invitations", &json!({"email": EMAIL})).await.expect(403, "not_today");
}
