//! How often somebody may guess, and how much mail they may cause. In these tests alone, attempts are counted.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use crate::conformance::{Finding, Stop, answer::Answer, client::Client, ensure, site::Site};

/// How many wrong passwords in a row an account takes at the most (NIST SP 800-63B, section 3.2.2).
const MOST_FAILURES: u32 = 100;

/// How many wrong passwords lock an account.
fn account_limit(site: &Site) -> Result<u32, Stop> {
    site.auth()?;
    let throttle = &site.config().throttle;
    let Some(account) = throttle.account() else {
        return Err(Stop::failed("nobody counts the wrong passwords of an account"));
    };
    let times = account.times();
    ensure!(times <= MOST_FAILURES, "an account takes {times} wrong passwords");
    match throttle.client("log_in") {
        Some(client) if client.times() <= times => {
            Err(Stop::not_applicable("a client is stopped before an account is locked"))
        }
        _ => Ok(times),
    }
}

/// How many failures stop a client.
fn client_limit(site: &Site) -> Result<u32, Stop> {
    site.auth()?;
    let Some(client) = site.config().throttle.client("log_in") else {
        return Err(Stop::failed("nobody counts the failures of a client"));
    };
    ensure!(client.times() <= 1_000, "a client may fail {} times", client.times());
    Ok(client.times())
}

/// Fails unless an attempt is refused for the number of those before it, and says when the next one may be made.
fn stopped(answer: &Answer) -> Finding {
    ensure!(answer.status == 429, "{}, and should be one too many", answer.shown());
    let wait = answer.header("retry-after").parse::<u64>();
    ensure!(wait.is_ok_and(|seconds| seconds > 0), "{}, and does not say how long to wait", answer.shown());
    Ok(())
}

/// A login with a password that is wrong.
async fn guess(site: &Site, identifier: &str) -> Result<Answer, Stop> {
    site.log_in(&site.client(), identifier, &site.other_password()).await
}

/// Guesses until an account is locked, whether or not there is one.
async fn lock(site: &Site, identifier: &str) -> Finding {
    for _ in 0..account_limit(site)? {
        guess(site, identifier).await?.unauthenticated()?;
    }
    stopped(&guess(site, identifier).await?)
}

pub(in crate::conformance) async fn s13_v6_3_1_wrong_passwords_lock_an_account_for_a_while(
    site: Site,
) -> Finding {
    account_limit(&site)?;
    let person = site.person("ada").await?;
    lock(&site, &person.identifier).await
}

pub(in crate::conformance) async fn s13_v6_3_1_the_right_password_does_not_open_a_locked_account(
    site: Site,
) -> Finding {
    account_limit(&site)?;
    let person = site.person("ada").await?;
    lock(&site, &person.identifier).await?;
    stopped(&site.log_in(&site.client(), &person.identifier, &person.password).await?)
}

pub(in crate::conformance) async fn s13_v6_3_1_a_lock_leaves_whoever_is_logged_in_alone(
    site: Site,
) -> Finding {
    account_limit(&site)?;
    site.door()?;
    let (person, client) = site.user("ada").await?;
    lock(&site, &person.identifier).await?;
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s13_v6_3_1_a_lock_leaves_other_accounts_alone(site: Site) -> Finding {
    account_limit(&site)?;
    let (ada, ben) = (site.person("ada").await?, site.person("ben").await?);
    lock(&site, &ada.identifier).await?;
    site.logged_in(&ben).await.map(drop)
}

pub(in crate::conformance) async fn s13_v6_3_1_the_current_password_is_guessed_no_more_often_than_at_the_login(
    site: Site,
) -> Finding {
    async fn change(site: &Site, client: &Client, current: &str) -> Result<Answer, Stop> {
        let body = json!({"password": site.other_password(), "current_password": current});
        client.patch(site.current_user()?.path, &body).await
    }
    let limit = account_limit(&site)?;
    if site.config().throttle.client("update_account").is_some_and(|client| client.times() <= limit) {
        return Err(Stop::not_applicable("a client is stopped before an account is locked"));
    }
    site.current_user()?;
    let (person, client) = site.user("ada").await?;
    for _ in 0..limit {
        change(&site, &client, "not the password").await?.status(403)?;
    }
    stopped(&change(&site, &client, &person.password).await?)
}

pub(in crate::conformance) async fn s14_v6_3_8_an_unknown_account_is_locked_like_a_known_one(
    site: Site,
) -> Finding {
    account_limit(&site)?;
    lock(&site, &site.identifier("nobody")).await
}

pub(in crate::conformance) async fn s14_v6_3_1_no_other_spelling_of_an_identifier_has_guesses_of_its_own(
    site: Site,
) -> Finding {
    account_limit(&site)?;
    let person = site.person("ada").await?;
    lock(&site, &person.identifier).await?;
    stopped(&guess(&site, &person.identifier.to_uppercase()).await?)
}

pub(in crate::conformance) async fn s14_v15_4_2_guesses_at_once_pass_no_limit(site: Site) -> Finding {
    let limit = account_limit(&site)?;
    let person = site.person("ada").await?;
    let before = site.subject.password_computations();
    let guesses: Vec<_> =
        (0..limit + 24).map(|_| site.account(&person.identifier, &site.other_password())).collect();
    for answer in site.at_once("POST", site.auth()?.login, &guesses).await? {
        ensure!(!answer.succeeded(), "{}", answer.shown());
    }
    let checked = site.subject.password_computations() - before;
    ensure!(checked <= u64::from(limit), "{checked} of {} guesses were checked", guesses.len());
    stopped(&guess(&site, &person.identifier).await?)
}

/// A name of letters that nobody has.
fn nobody(number: u32) -> String {
    let letters = number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect::<String>();
    format!("nobody{letters}")
}

/// Guesses at an account after the other until a client is stopped, from clients that the headers tell apart.
async fn guess_around(site: &Site, limit: u32, header: impl Fn(u32) -> Option<String>) -> Finding {
    for number in 0..=limit {
        let client = site.client();
        let mut call = client.call("POST", site.auth()?.login);
        if let Some(address) = header(number) {
            for name in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip"] {
                call = call.header(name, &address);
            }
            call = call.header("forwarded", format!("for={address}"));
        }
        let identifier = site.identifier(&nobody(number));
        let answer = call.json(&site.account(&identifier, &site.other_password())).send().await?;
        if number == limit {
            return stopped(&answer);
        }
        answer.unauthenticated()?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s15_v6_3_1_a_client_that_guesses_at_many_accounts_is_stopped(
    site: Site,
) -> Finding {
    let limit = client_limit(&site)?;
    guess_around(&site, limit, |_| None).await
}

pub(in crate::conformance) async fn s15_v6_3_1_a_login_that_succeeds_gives_a_client_no_more_guesses(
    site: Site,
) -> Finding {
    let limit = client_limit(&site)?;
    let person = site.person("ada").await?;
    for number in 0..limit {
        site.logged_in(&person).await?;
        guess(&site, &site.identifier(&nobody(number))).await?.unauthenticated()?;
    }
    stopped(&guess(&site, &site.identifier(&nobody(limit))).await?)
}

pub(in crate::conformance) async fn s15_v15_3_4_no_header_makes_somebody_another_client(
    site: Site,
) -> Finding {
    let limit = client_limit(&site)?;
    if site.config().trusted_proxies.trusts(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
        return Err(Stop::not_applicable("this machine is a proxy that the application trusts"));
    }
    guess_around(&site, limit, |number| Some(format!("203.0.{}.{}", number / 250, number % 250 + 1))).await
}

pub(in crate::conformance) async fn s17_v2_4_1_of_many_mails_that_are_asked_for_at_once_one_leaves(
    site: Site,
) -> Finding {
    let forgot = site.password_reset()?.forgot;
    let person = site.person("ada").await?;
    let address = person.address()?;
    ensure!(site.config().throttle.mail().is_some(), "nobody counts the mails that are asked for");
    for _ in 0..4 {
        site.client().post(forgot, &site.naming(&person.identifier)).await?.success()?;
    }
    // However long the first takes, the others would have come with it.
    site.mailbox().next(address).await?;
    let more = site.mailbox().settled(address).await;
    ensure!(more == 0, "{more} mails more than one went to somebody who forgot a password");
    Ok(())
}
