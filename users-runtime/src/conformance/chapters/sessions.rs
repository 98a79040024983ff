//! Logins and how they end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::conformance::{
    Finding, Stop,
    client::{Client, Credential},
    ensure,
    site::Site,
};

/// What a client sees of its sessions.
async fn listed(site: &Site, client: &Client) -> Result<Vec<Value>, Stop> {
    let answer = client.get(site.sessions()?.path).await?.success()?;
    let items = answer.json()["items"].as_array().cloned();
    items.ok_or_else(|| Stop::failed(format!("{}, and should list sessions", answer.shown())))
}

/// The address of a session in a list.
fn session_path(site: &Site, item: &Value) -> Result<String, Stop> {
    let id = item["id"].as_str().ok_or_else(|| Stop::failed(format!("a session has no name: {item}")))?;
    Ok(format!("{}/{id}", site.sessions()?.path))
}

pub(in crate::conformance) async fn s18_v7_2_3_credentials_are_long_and_never_the_same(
    site: Site,
) -> Finding {
    let (person, first) = site.user("ada").await?;
    let mut seen: BTreeSet<_> = first.credential().secrets().into_iter().collect();
    let each = seen.len();
    for _ in 1..4 {
        seen.extend(site.logged_in(&person).await?.credential().secrets());
    }
    ensure!(seen.len() == 4 * each, "two logins have the same credential");
    // 128 bits in base64, the densest writing that fits a cookie or a header.
    let shortest = seen.iter().map(String::len).min().unwrap_or_default();
    ensure!(shortest >= 22, "a credential of {shortest} characters has no 128 bits");
    Ok(())
}

pub(in crate::conformance) async fn s19_v7_2_4_a_login_gives_a_new_session_and_ends_the_old_one(
    site: Site,
) -> Finding {
    let (person, client) = site.user("ada").await?;
    let before = client.snapshot();
    site.log_in(&client, &person.identifier, &person.password).await?.success()?;
    let (old, new) = (before.credential().secrets(), client.credential().secrets());
    ensure!(old.iter().all(|secret| !new.contains(secret)), "a login leaves the credential as it was");
    site.lets_in(&client).await?;
    site.keeps_out(&before, "after another login with it").await
}

pub(in crate::conformance) async fn s19_v7_2_4_an_identifier_of_the_clients_own_is_never_adopted(
    site: Site,
) -> Finding {
    let (person, client) = site.user("ada").await?;
    // Of the length that the application's own have, as somebody would plant it before their victim logs in.
    let planted = Credential {
        cookies: client
            .credential()
            .cookies
            .iter()
            .map(|(name, value)| (name.clone(), "A".repeat(value.len())))
            .collect(),
        bearer: client.credential().bearer.map(|token| "A".repeat(token.len())),
    };
    let victim = client.with(planted.clone());
    site.log_in(&victim, &person.identifier, &person.password).await?.success()?;
    let given = victim.credential().secrets();
    ensure!(planted.secrets().iter().all(|secret| !given.contains(secret)), "a login adopts what it is sent");
    site.keeps_out(&client.with(planted), "after a login of somebody who was sent it").await
}

pub(in crate::conformance) async fn s21_v7_4_1_a_logout_ends_the_session_on_the_server(
    site: Site,
) -> Finding {
    let (_, client) = site.user("ada").await?;
    let copy = client.snapshot();
    site.lets_in(&copy).await?;
    client.bare("POST", site.auth()?.logout).await?.success()?;
    site.keeps_out(&copy, "after the logout").await
}

pub(in crate::conformance) async fn s21_v7_4_1_a_logout_clears_the_cookies(site: Site) -> Finding {
    let (_, client) = site.user("ada").await?;
    if client.credential().cookies.is_empty() {
        return Err(Stop::not_applicable("a login gives no cookie"));
    }
    client.bare("POST", site.auth()?.logout).await?.success()?;
    let left = client.credential().cookies;
    ensure!(left.is_empty(), "a browser keeps {:?} after the logout", left.keys());
    Ok(())
}

pub(in crate::conformance) async fn s21_v7_4_1_a_logout_ends_the_refresh_token_too(site: Site) -> Finding {
    let person = site.person("ada").await?;
    let tokens = site.issue_tokens(&person).await?;
    let client = site.client().with_bearer(&*tokens.access);
    client.bare("POST", site.auth()?.logout).await?.success()?;
    site.refresh(&tokens.refresh).await?.refused()?;
    site.keeps_out(&site.client().with_bearer(tokens.access), "after the logout").await
}

pub(in crate::conformance) async fn s22_v7_4_3_a_password_change_ends_every_other_session(
    site: Site,
) -> Finding {
    let path = site.current_user()?.path;
    let (person, here) = site.user("ada").await?;
    let there = site.logged_in(&person).await?;
    site.lets_in(&there).await?;
    let body = json!({"password": site.other_password(), "current_password": person.password});
    here.patch(path, &body).await?.success()?;
    site.keeps_out(&there, "after the password was changed elsewhere").await
}

pub(in crate::conformance) async fn s22_v7_4_3_a_password_change_gives_a_new_credential_and_ends_the_old_one(
    site: Site,
) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    let before = client.snapshot();
    let body = json!({"password": site.other_password(), "current_password": person.password});
    client.patch(path, &body).await?.success()?;
    site.lets_in(&client).await?;
    site.keeps_out(&before, "after the password was changed with it").await
}

pub(in crate::conformance) async fn s22_v7_4_3_a_reset_ends_every_session(site: Site) -> Finding {
    let paths = site.password_reset()?;
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    site.client().post(paths.forgot, &site.naming(&person.identifier)).await?.success()?;
    let token = site.mailbox().token(person.address()?).await?;
    let body = json!({"token": token, "password": site.other_password()});
    site.client().post(paths.reset, &body).await?.success()?;
    site.keeps_out(&client, "after the password was reset").await
}

pub(in crate::conformance) async fn s23_v7_4_2_a_deactivated_user_is_out_at_the_next_request(
    site: Site,
) -> Finding {
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    site.deactivate(&person).await?;
    site.keeps_out(&client, "after the account was deactivated").await
}

pub(in crate::conformance) async fn s23_v7_4_2_a_deactivated_user_does_not_log_in(site: Site) -> Finding {
    site.auth()?;
    let person = site.person("ada").await?;
    site.deactivate(&person).await?;
    site.log_in(&site.client(), &person.identifier, &person.password).await?.refused()?;
    if let Ok(paths) = site.tokens() {
        let fields =
            [("grant_type", "password"), ("username", &*person.identifier), ("password", &*person.password)];
        site.client().call("POST", paths.token).form(&fields).send().await?.refused()?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s23_v7_4_2_an_administrator_deactivates_a_user_at_once(
    site: Site,
) -> Finding {
    let (_, manager) = site.manager("clara").await?;
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    let flag = site.active_field(&person).await?;
    let mut body = json!({});
    body[&flag] = json!(false);
    manager.patch(&site.user_path(&person)?, &body).await?.success()?;
    site.keeps_out(&client, "after an administrator deactivated the account").await
}

pub(in crate::conformance) async fn s23_v7_4_2_a_deleted_user_is_out_at_the_next_request(
    site: Site,
) -> Finding {
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    site.tenant.delete(&person.identifier).await?;
    site.keeps_out(&client, "after the account was deleted").await?;
    site.log_in(&site.client(), &person.identifier, &person.password).await?.unauthenticated().map(drop)
}

pub(in crate::conformance) async fn s23_an_account_without_a_proven_mailbox_does_not_log_in(
    site: Site,
) -> Finding {
    site.auth()?;
    let verify = site.verify()?.path;
    let person = site.newcomer("ada").await?;
    let client = site.client();
    let answer = site.log_in(&client, &person.identifier, &person.password).await?;
    ensure!(!answer.succeeded(), "{}, and the mailbox is not proven", answer.shown());
    ensure!(client.credential() == Credential::default(), "{}, and gives a credential", answer.shown());
    let token = site.mailbox().token(person.address()?).await?;
    site.client().post(verify, &json!({ "token": token })).await?.success()?;
    site.logged_in(&person).await.map(drop)
}

pub(in crate::conformance) async fn s24_v7_5_2_users_see_their_own_sessions_alone(site: Site) -> Finding {
    site.sessions()?;
    let (person, here) = site.user("ada").await?;
    site.logged_in(&person).await?;
    site.user("ben").await?;
    let items = listed(&site, &here).await?;
    let current = items.iter().filter(|item| item["current"] == true).count();
    ensure!(items.len() == 2 && current == 1, "two logins are listed as {items:?}");
    Ok(())
}

pub(in crate::conformance) async fn s24_v7_5_2_users_end_one_of_their_sessions(site: Site) -> Finding {
    site.sessions()?;
    let (person, here) = site.user("ada").await?;
    let there = site.logged_in(&person).await?;
    let items = listed(&site, &here).await?;
    let other = items.iter().find(|item| item["current"] != true);
    let other = other.ok_or_else(|| Stop::failed(format!("the other login is not listed: {items:?}")))?;
    here.bare("DELETE", &session_path(&site, other)?).await?.success()?;
    site.keeps_out(&there, "after its user ended that session").await?;
    site.lets_in(&here).await
}

pub(in crate::conformance) async fn s24_v7_5_2_users_end_all_their_sessions(site: Site) -> Finding {
    let path = site.sessions()?.path;
    let (person, here) = site.user("ada").await?;
    let (copy, there) = (here.snapshot(), site.logged_in(&person).await?);
    let (_, other) = site.user("ben").await?;
    here.bare("DELETE", path).await?.success()?;
    for client in [&copy, &there] {
        site.keeps_out(client, "after its user ended every session").await?;
    }
    site.lets_in(&other).await
}

pub(in crate::conformance) async fn s24_v8_2_2_nobody_ends_a_session_of_somebody_else(site: Site) -> Finding {
    site.sessions()?;
    let (_, ada) = site.user("ada").await?;
    let (_, ben) = site.user("ben").await?;
    for item in listed(&site, &ada).await? {
        ben.bare("DELETE", &session_path(&site, &item)?).await?.refused()?;
    }
    site.lets_in(&ada).await
}

pub(in crate::conformance) async fn s24_v15_3_1_no_list_of_sessions_shows_a_secret(site: Site) -> Finding {
    site.sessions()?;
    let (_, client) = site.user("ada").await?;
    let items = listed(&site, &client).await?;
    let text = Value::from(items.clone()).to_string();
    for secret in client.credential().secrets() {
        ensure!(!text.contains(&secret), "a list of sessions shows the credential: {text}");
    }
    // What it shows of a session opens nothing.
    for item in items {
        let id = item["id"].as_str().unwrap_or_default();
        let credential = client.credential();
        let cookies = credential.cookies.into_keys().map(|name| (name, id.to_owned())).collect();
        let stolen = Credential { cookies, bearer: credential.bearer.map(|_| id.to_owned()) };
        site.keeps_out(&client.with(stolen), "with the name of a session for a credential").await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s24_v7_4_5_an_administrator_ends_the_sessions_of_a_user(
    site: Site,
) -> Finding {
    let (_, manager) = site.manager("clara").await?;
    let (person, client) = site.user("ada").await?;
    site.lets_in(&client).await?;
    let path = format!("{}/sessions", site.user_path(&person)?);
    manager.bare("DELETE", &path).await?.success()?;
    site.keeps_out(&client, "after an administrator ended the sessions").await?;
    site.lets_in(&manager).await
}

pub(in crate::conformance) async fn s25_v8_3_2_a_role_that_is_taken_away_is_gone_at_the_next_request(
    site: Site,
) -> Finding {
    let path = site.users()?.path;
    let (_, remaining) = site.manager("clara").await?;
    let (person, client) = site.manager("ada").await?;
    client.get(path).await?.success()?;
    let role = site.config().administrator_role.clone();
    site.tenant.withdraw(&person.identifier, role.clone()).await?;
    client.get(path).await?.status(403)?;
    let stored = site.stored(&person.identifier).await?;
    let roles = stored.map(|user| user.has(&role));
    ensure!(roles == Some(false), "the role is still there");
    remaining.get(path).await?.success().map(drop)
}
