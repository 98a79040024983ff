//! What is recorded of an account, and who reads it.

use serde_json::{Value, json};

use crate::conformance::{Finding, Stop, client::Client, ensure, site::Site};

/// What a client reads of its own account, newest first.
async fn own(site: &Site, client: &Client) -> Result<Vec<Value>, Stop> {
    let path = format!("{}/events", site.current_user()?.path);
    let answer = client.get(&path).await?.success()?;
    Ok(answer.json()["items"].as_array().cloned().unwrap_or_default())
}

fn has(events: &[Value], kind: &str, outcome: &str) -> bool {
    events.iter().any(|event| event["kind"] == kind && event["outcome"] == outcome)
}

pub(in crate::conformance) async fn s59_v16_3_1_logins_are_recorded_whether_or_not_they_succeed(
    site: Site,
) -> Finding {
    site.current_user()?;
    let (person, client) = site.user("ada").await?;
    ensure!(has(&own(&site, &client).await?, "login", "success"), "the login is not recorded");
    site.log_in(&site.client(), &person.identifier, &site.other_password()).await?.unauthenticated()?;
    let events = own(&site, &client).await?;
    let failure = events.iter().find(|event| event["kind"] == "login" && event["outcome"] == "failure");
    let Some(failure) = failure else {
        return Err(Stop::failed("a login with a wrong password is not recorded"));
    };
    ensure!(failure["at"].is_string(), "the record of a login does not say when it was: {failure}");
    ensure!(
        failure["address"].is_string(),
        "the record of a login does not say where it came from: {failure}"
    );
    Ok(())
}

pub(in crate::conformance) async fn s59_v16_3_1_a_changed_password_is_recorded(site: Site) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    let body = json!({"password": site.other_password(), "current_password": person.password});
    client.patch(path, &body).await?.success()?;
    ensure!(has(&own(&site, &client).await?, "password_changed", "success"), "the change is not recorded");
    Ok(())
}

pub(in crate::conformance) async fn s59_v16_2_5_no_event_shows_a_password(site: Site) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    let wrong = "a password that is wrong and secret";
    site.log_in(&site.client(), &person.identifier, wrong).await?.unauthenticated()?;
    let body = json!({"password": site.other_password(), "current_password": person.password});
    client.patch(path, &body).await?.success()?;
    let credential = client.credential().secrets();
    let own = client.get(&format!("{path}/events")).await?.success()?.text;
    ensure!(own.contains("login"), "nothing is recorded: {own}");
    for secret in [wrong, &person.password, &site.other_password()] {
        ensure!(!own.contains(secret), "the events of an account show a password: {own}");
    }
    for secret in credential {
        ensure!(!own.contains(&secret), "the events of an account show a credential: {own}");
    }
    Ok(())
}

pub(in crate::conformance) async fn s59_v8_2_2_users_read_of_their_own_account_alone(site: Site) -> Finding {
    let path = site.current_user()?.path;
    let (person, ada) = site.user("ada").await?;
    let (_, ben) = site.user("ben").await?;
    let body = json!({"password": site.other_password(), "current_password": person.password});
    ada.patch(path, &body).await?.success()?;
    ensure!(has(&own(&site, &ada).await?, "password_changed", "success"), "the change is not recorded");
    ensure!(
        !has(&own(&site, &ben).await?, "password_changed", "success"),
        "somebody reads what happened to the account of somebody else"
    );
    site.client().get(&format!("{path}/events")).await?.unauthenticated()?;
    if site.users().is_ok() {
        let answer = ben.get(&format!("{}/events", site.user_path(&person)?)).await?;
        ensure!(!answer.succeeded(), "{}, of somebody else", answer.shown());
    }
    Ok(())
}
