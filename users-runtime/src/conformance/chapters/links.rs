//! Tokens that come by mail.

use serde_json::{Value, json};
use url::Url;

use crate::{
    conformance::{
        Finding, Stop,
        client::Credential,
        ensure,
        site::{Person, Site},
    },
    mail::RenderedMail,
    validate::IdentifierKind,
};

/// Somebody who has just registered, and the token of the mail that came.
async fn to_verify(site: &Site) -> Result<(Person, String), Stop> {
    site.verify()?;
    let person = site.newcomer("ada").await?;
    let token = site.mailbox().token(person.address()?).await?;
    Ok((person, token))
}

/// Asks for a mail that sets a new password.
async fn forgotten(site: &Site, person: &Person) -> Result<(RenderedMail, String), Stop> {
    let path = site.password_reset()?.forgot;
    site.client().post(path, &site.naming(&person.identifier)).await?.success()?;
    site.mailbox().next_with_token(person.address()?).await
}

/// Somebody who has forgotten the password, and the token of the mail that came.
async fn to_reset(site: &Site) -> Result<(Person, String), Stop> {
    site.password_reset()?;
    let person = site.person("ada").await?;
    let (_, token) = forgotten(site, &person).await?;
    Ok((person, token))
}

/// The body that redeems a token for a new password.
fn new_password(site: &Site, token: &str) -> Value {
    json!({"token": token, "password": site.other_password()})
}

async fn is_verified(site: &Site, person: &Person) -> Result<bool, Stop> {
    Ok(site.stored(&person.identifier).await?.is_some_and(|user| user.verified))
}

pub(in crate::conformance) async fn s32_v6_5_1_a_verification_is_good_once(site: Site) -> Finding {
    let path = site.verify()?.path;
    let (person, token) = to_verify(&site).await?;
    let body = json!({ "token": token });
    site.client().post(path, &body).await?.success()?;
    ensure!(is_verified(&site, &person).await?, "the mailbox does not count as proven");
    site.client().post(path, &body).await?.status(400).map(drop)
}

pub(in crate::conformance) async fn s32_v6_5_1_a_reset_is_good_once(site: Site) -> Finding {
    let path = site.password_reset()?.reset;
    let (_, token) = to_reset(&site).await?;
    site.client().post(path, &new_password(&site, &token)).await?.success()?;
    let again = json!({"token": token, "password": site.password()});
    site.client().post(path, &again).await?.status(400).map(drop)
}

pub(in crate::conformance) async fn s32_v15_4_2_of_twenty_verifications_at_once_one_succeeds(
    site: Site,
) -> Finding {
    let (_, token) = to_verify(&site).await?;
    let bodies = vec![json!({ "token": token }); 20];
    let answers = site.at_once("POST", site.verify()?.path, &bodies).await?;
    let succeeded = answers.iter().filter(|answer| answer.succeeded()).count();
    ensure!(succeeded == 1, "{succeeded} of twenty verifications by one token succeeded");
    Ok(())
}

pub(in crate::conformance) async fn s32_v15_4_2_of_twenty_resets_at_once_one_succeeds(site: Site) -> Finding {
    let (_, token) = to_reset(&site).await?;
    let bodies: Vec<_> = (0..20)
        .map(|number| json!({"token": token, "password": format!("{} {number}", site.other_password())}))
        .collect();
    let answers = site.at_once("POST", site.password_reset()?.reset, &bodies).await?;
    let succeeded = answers.iter().filter(|answer| answer.succeeded()).count();
    ensure!(succeeded == 1, "{succeeded} of twenty resets by one token succeeded");
    Ok(())
}

pub(in crate::conformance) async fn s32_texts_that_are_no_token_are_400(site: Site) -> Finding {
    let (verify, reset) = (site.verify(), site.password_reset());
    if let (Err(stop), Err(_)) = (&verify, &reset) {
        return Err(Stop::not_applicable(format!("no mail carries a token: {stop:?}")));
    }
    let long = "A".repeat(5_000);
    for text in ["", " ", "x", "null", "AAAA", &"A".repeat(43), "' OR 1=1 --", "%00", "é", "../..", &long] {
        if let Ok(paths) = &verify {
            site.client().post(paths.path, &json!({ "token": text })).await?.status(400)?;
        }
        if let Ok(paths) = &reset {
            site.client().post(paths.reset, &new_password(&site, text)).await?.status(400)?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s32_a_changed_password_ends_the_mails_before_it(site: Site) -> Finding {
    let (paths, me) = (site.password_reset()?, site.current_user()?.path);
    let (person, client) = site.user("ada").await?;
    let (_, token) = forgotten(&site, &person).await?;
    let body = json!({"password": site.other_password(), "current_password": person.password});
    client.patch(me, &body).await?.success()?;
    let body = json!({"token": token, "password": site.password()});
    site.client().post(paths.reset, &body).await?.status(400).map(drop)
}

pub(in crate::conformance) async fn s33_a_newer_reset_mail_ends_the_older_one(site: Site) -> Finding {
    let path = site.password_reset()?.reset;
    let (person, older) = to_reset(&site).await?;
    let (_, newer) = forgotten(&site, &person).await?;
    ensure!(older != newer, "two mails carry one token");
    site.client().post(path, &new_password(&site, &older)).await?.status(400)?;
    site.client().post(path, &new_password(&site, &newer)).await?.success().map(drop)
}

pub(in crate::conformance) async fn s33_a_newer_verification_mail_ends_the_older_one(site: Site) -> Finding {
    let paths = site.verify()?;
    let (person, older) = to_verify(&site).await?;
    site.client().post(paths.resend, &site.naming(&person.identifier)).await?.success()?;
    let newer = site.mailbox().token(person.address()?).await?;
    site.client().post(paths.path, &json!({ "token": older })).await?.status(400)?;
    site.client().post(paths.path, &json!({ "token": newer })).await?.success().map(drop)
}

/// Opens a link as a scanner of mails does, in each way that it might be written.
async fn scan(site: &Site, path: &str, token: &str) -> Finding {
    for method in ["GET", "HEAD", "OPTIONS"] {
        for link in [path.to_owned(), format!("{path}?token={token}"), format!("{path}/{token}")] {
            site.client().bare(method, &link).await?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s34_v3_5_3_get_and_head_use_no_verification_up(site: Site) -> Finding {
    let path = site.verify()?.path;
    let (person, token) = to_verify(&site).await?;
    scan(&site, path, &token).await?;
    ensure!(!is_verified(&site, &person).await?, "whoever looks at a link verifies the mailbox");
    site.client().post(path, &json!({ "token": token })).await?.success().map(drop)
}

pub(in crate::conformance) async fn s34_v3_5_3_get_and_head_use_no_reset_up(site: Site) -> Finding {
    let path = site.password_reset()?.reset;
    let (_, token) = to_reset(&site).await?;
    scan(&site, path, &token).await?;
    site.client().post(path, &new_password(&site, &token)).await?.success().map(drop)
}

pub(in crate::conformance) async fn s28_v9_2_2_a_verification_resets_no_password(site: Site) -> Finding {
    let (verify, reset) = (site.verify()?.path, site.password_reset()?.reset);
    let (_, token) = to_verify(&site).await?;
    site.client().post(reset, &new_password(&site, &token)).await?.status(400)?;
    site.client().post(verify, &json!({ "token": token })).await?.success().map(drop)
}

pub(in crate::conformance) async fn s28_v9_2_2_a_reset_verifies_nobody(site: Site) -> Finding {
    let (verify, reset) = (site.verify()?.path, site.password_reset()?.reset);
    let (_, token) = to_reset(&site).await?;
    site.client().post(verify, &json!({ "token": token })).await?.status(400)?;
    site.client().post(reset, &new_password(&site, &token)).await?.success().map(drop)
}

/// The links in the text of a mail.
fn links(mail: &RenderedMail) -> Vec<Url> {
    let words =
        mail.text.split(|character: char| character.is_whitespace() || matches!(character, '<' | '>' | '"'));
    words.filter(|word| word.starts_with("http")).filter_map(|word| Url::parse(word).ok()).collect()
}

/// The mail that comes when somebody asks with these headers.
async fn mail_to(site: &Site, headers: &[(&str, &str)]) -> Result<RenderedMail, Stop> {
    let path = site.password_reset()?.forgot;
    let person = site.person("ada").await?;
    let call = site.client();
    let call = call.call("POST", path).headers(headers).json(&site.naming(&person.identifier));
    call.send().await?.success()?;
    Ok(site.mailbox().next_with_token(person.address()?).await?.0)
}

pub(in crate::conformance) async fn s35_the_host_of_a_link_comes_from_the_settings(site: Site) -> Finding {
    let evil = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example"),
    ];
    let mail = mail_to(&site, &evil).await?;
    let named = [&mail.text, &mail.html, &mail.subject].iter().any(|text| text.contains("evil.example"));
    ensure!(!named, "a mail leads to the host that a request names");
    let config = site.config();
    let page = config.reset_url.as_ref().unwrap_or(&config.base_url);
    for link in links(&mail) {
        ensure!(
            link.origin() == page.origin(),
            "a mail leads to {} and not to {page}",
            link.origin().ascii_serialization()
        );
    }
    Ok(())
}

pub(in crate::conformance) async fn s35_v14_2_1_a_link_carries_its_token_in_the_fragment(
    site: Site,
) -> Finding {
    let path = site.password_reset()?.forgot;
    let person = site.person("ada").await?;
    site.client().post(path, &site.naming(&person.identifier)).await?.success()?;
    let (mail, token) = site.mailbox().next_with_token(person.address()?).await?;
    for link in links(&mail) {
        let logged = format!("{}?{}", link.path(), link.query().unwrap_or_default());
        ensure!(!logged.contains(&token), "servers log the token of a link that a mail carries");
    }
    Ok(())
}

pub(in crate::conformance) async fn s36_v6_4_3_a_reset_does_not_log_in(site: Site) -> Finding {
    let path = site.password_reset()?.reset;
    let (_, token) = to_reset(&site).await?;
    let client = site.client();
    let answer = client.post(path, &new_password(&site, &token)).await?.success()?;
    let given = client.credential() != Credential::default() || answer.json()["access_token"].is_string();
    ensure!(!given, "a reset gives a credential to whoever has the mail");
    Ok(())
}

/// Somebody who has asked for another address, and that address.
async fn moving(site: &Site) -> Result<(Person, String), Stop> {
    let me = site.current_user()?.path;
    site.verify()?;
    if site.traits.kind != IdentifierKind::Email {
        return Err(Stop::not_applicable("people log in with a name, which no mail can confirm"));
    }
    let (person, client) = site.user("ada").await?;
    let new = site.identifier("adele");
    let mut body = site.naming(&new);
    body["current_password"] = json!(person.password);
    client.patch(me, &body).await?.success()?;
    Ok((person, new))
}

pub(in crate::conformance) async fn s37_a_new_address_counts_when_it_is_confirmed_and_the_old_one_until_then(
    site: Site,
) -> Finding {
    let (person, new) = moving(&site).await?;
    let verify = site.verify()?.path;
    site.log_in(&site.client(), &new, &person.password).await?.unauthenticated()?;
    let client = site.logged_in(&person).await?;
    let token = site.mailbox().token(&new).await?;
    site.client().post(verify, &json!({ "token": token })).await?.success()?;
    site.keeps_out(&client, "after the address changed").await?;
    site.log_in(&site.client(), &person.identifier, &person.password).await?.unauthenticated()?;
    site.log_in(&site.client(), &new, &person.password).await?.success().map(drop)
}

pub(in crate::conformance) async fn s37_v6_3_7_the_old_address_is_told_of_the_new_one(site: Site) -> Finding {
    let (person, _) = moving(&site).await?;
    site.mailbox().next(person.address()?).await.map(drop)
}
