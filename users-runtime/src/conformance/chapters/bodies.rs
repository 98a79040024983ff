//! What bodies may hold.

use serde_json::{Value, json};

use crate::conformance::{
    Finding, Stop,
    answer::Answer,
    client::Client,
    ensure,
    site::{Form, Person, Site},
};

/// Everybody and everything that a test of bodies needs.
struct Desk {
    forms: Vec<Form>,
    client: Client,
    person: Person,
}

impl Desk {
    async fn new(site: &Site) -> Result<Self, Stop> {
        let person = site.person("ada").await?;
        // Without a login the routes for users refuse a body unseen, and are left out.
        let client = if site.auth().is_ok() { site.logged_in(&person).await? } else { site.client() };
        let mut forms = site.forms(&person);
        forms.retain(|form| !form.login || site.auth().is_ok());
        if forms.is_empty() {
            return Err(Stop::not_applicable("no generated route reads a body"));
        }
        Ok(Self { forms, client, person })
    }

    /// Sends a body in the place of the right one. A copy of the client does, so that a credential that should not have
    /// been given changes nothing.
    async fn send(&self, form: &Form, content_type: &str, body: impl Into<Vec<u8>>) -> Result<Answer, Stop> {
        self.client.snapshot().call(form.method, &form.path).body(content_type, body).send().await
    }

    /// Sends another body to each route; the answer has to be one of these.
    async fn refused(&self, body: impl Fn(&Value) -> Vec<u8>, statuses: &[u16]) -> Finding {
        for form in &self.forms {
            let bytes = body(&form.body);
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
            let answer = self.send(form, "application/json", bytes).await?;
            ensure!(
                statuses.contains(&answer.status),
                "{}, to {shown}, and should answer {statuses:?}",
                answer.shown()
            );
        }
        Ok(())
    }
}

/// The first key of an object whose value is a text, and its value.
fn first(right: &Value) -> (String, Value) {
    let pair = right.as_object().and_then(|object| object.iter().find(|(_, value)| value.is_string()));
    pair.map(|(key, value)| (key.clone(), value.clone())).unwrap_or_default()
}

/// The right body with other text in the place of the first value.
fn with_first(right: &Value, value: &[u8]) -> Vec<u8> {
    let (key, _) = first(right);
    let mut rest = right.clone();
    if let Some(rest) = rest.as_object_mut() {
        rest.remove(&key);
    }
    let rest = rest.to_string();
    let rest = rest.trim_start_matches('{');
    let comma = if rest == "}" { "" } else { "," };
    [b"{\"", key.as_bytes(), b"\":", value, comma.as_bytes(), rest.as_bytes()].concat()
}

pub(in crate::conformance) async fn s51_v2_2_1_a_body_over_the_limit_is_413(site: Site) -> Finding {
    let limit = site.config().body_limit;
    let padded = |right: &Value| {
        let mut body = right.to_string().into_bytes();
        body.resize(limit + 1, b' ');
        body
    };
    Desk::new(&site).await?.refused(padded, &[413]).await
}

pub(in crate::conformance) async fn s51_v2_2_1_unknown_keys_are_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    for key in ["is_superuser", "constructor", "__proto__", "Password", "password ", "é"] {
        let body = |right: &Value| {
            let mut body = right.clone();
            body[key] = json!(true);
            body.to_string().into_bytes()
        };
        desk.refused(body, &[422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v2_2_1_repeated_keys_are_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    let twice = |right: &Value| {
        let ((key, value), text) = (first(right), right.to_string());
        format!("{},\"{key}\":{value}}}", &text[..text.len() - 1]).into_bytes()
    };
    desk.refused(twice, &[422]).await?;
    // The escape of a letter is the letter.
    let escaped = |right: &Value| {
        let ((key, value), text) = (first(right), right.to_string());
        let letter = key.bytes().next().unwrap_or(b'x');
        format!("{},\"\\u{letter:04x}{}\":{value}}}", &text[..text.len() - 1], &key[1..]).into_bytes()
    };
    desk.refused(escaped, &[422]).await
}

pub(in crate::conformance) async fn s51_v2_2_1_nul_in_a_text_is_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    for value in [&b"\"a\\u0000b\""[..], b"\"\\u0000\"", b"\"a\0b\""] {
        desk.refused(|right| with_first(right, value), &[400, 422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v2_2_1_bytes_that_are_no_utf8_are_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    for value in [&b"\"\xff\xfe\""[..], b"\"\xc3\x28\"", b"\"\xed\xa0\x80\"", b"\"\xf0\x9f\"", b"\"\\ud800\""]
    {
        desk.refused(|right| with_first(right, value), &[400, 422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v2_2_1_deep_nesting_is_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    for (open, close, depth) in [("[", "]", 200), ("[", "]", 4_000), ("{\"a\":", "}", 1_000)] {
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        desk.refused(|right| with_first(right, nested.as_bytes()), &[400, 413, 422]).await?;
        desk.refused(|_| nested.clone().into_bytes(), &[400, 413, 422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v2_2_1_what_is_not_json_is_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    for body in ["", "{", "}", "{'a':1}", "<xml/>", "a=b&c=d", "undefined", "[]", "null", "1", "\u{feff}{}"] {
        desk.refused(|_| body.as_bytes().to_vec(), &[400, 422]).await?;
    }
    for rest in ["x", "{}", ",", "null", "// comment"] {
        desk.refused(|right| format!("{right}{rest}").into_bytes(), &[400, 422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v15_3_5_values_of_another_type_are_refused(site: Site) -> Finding {
    let desk = Desk::new(&site).await?;
    let values = ["1", "-1.5", "true", "[]", "[\"x\"]", "{}", "{\"$ne\":null}", "18446744073709551616"];
    for value in values {
        desk.refused(|right| with_first(right, value.as_bytes()), &[422]).await?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s51_v4_1_1_a_body_of_another_media_type_is_refused(
    site: Site,
) -> Finding {
    let desk = Desk::new(&site).await?;
    // A form and a text are what a page of another origin can send without asking first.
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"]
    {
        for form in &desk.forms {
            let answer = desk.send(form, media_type, form.body.to_string()).await?;
            ensure!(answer.status == 415, "{}, to a body of the type `{media_type}`", answer.shown());
        }
    }
    Ok(())
}

/// Keys that an attacker would add: those that responses show, and well-known ones, with a value that changes something.
async fn forbidden(site: &Site, person: &Person) -> Result<Vec<(String, Value)>, Stop> {
    let shown = site.shown(person).await?;
    let mut keys: Vec<_> = shown
        .into_iter()
        .filter(|(key, _)| key != site.field())
        .filter_map(|(key, value)| match value {
            Value::Bool(flag) => Some((key, json!(!flag))),
            Value::Number(_) => Some((key, json!(4_242))),
            _ => None,
        })
        .collect();
    keys.extend(
        [("id", json!("018f0000-0000-7000-8000-000000000000")), ("id", json!(4_242))]
            .map(|(key, value)| (key.to_owned(), value)),
    );
    for key in ["is_verified", "verified", "email_verified", "is_active", "is_admin", "is_superuser", "admin"]
    {
        keys.push((key.to_owned(), json!(true)));
    }
    keys.push(("is_active".to_owned(), json!(false)));
    let role = site.config().administrator_role.clone();
    for (key, value) in
        [("roles", json!([role])), ("roles", json!([{ "name": role }])), ("role", json!(role))]
    {
        keys.push((key.to_owned(), value));
    }
    for key in ["password_hash", "hashed_password", "tenant", "tenant_id"] {
        keys.push((key.to_owned(), json!("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR")));
    }
    Ok(keys)
}

pub(in crate::conformance) async fn s52_v15_3_3_a_registration_writes_no_key_flag_or_role(
    site: Site,
) -> Finding {
    let path = site.register()?.path;
    let person = site.person("ada").await?;
    let keys = forbidden(&site, &person).await?;
    // Who registers without trying anything is what everybody else has to be as well.
    let plain = site.newcomer("ben").await?;
    let plain =
        site.stored(&plain.identifier).await?.ok_or_else(|| Stop::failed("a newcomer is not stored"))?;
    for (number, (key, value)) in keys.into_iter().enumerate() {
        let name: String = ["eve", &"x".repeat(number + 1)].concat();
        let identifier = site.identifier(&name);
        let mut body = site.registration(&name, &identifier, &site.password());
        body[&key] = value.clone();
        let answer = site.client().post(path, &body).await?;
        ensure!(answer.status < 500, "{}, to the key `{key}`", answer.shown());
        let Some(stored) = site.stored(&identifier).await? else { continue };
        ensure!(
            stored.verified == plain.verified
                && stored.active == plain.active
                && stored.roles.is_empty()
                && stored.id != value
                && stored.password_hash != value.as_str().unwrap_or_default(),
            "{}, and the key `{key}` wrote what no registration may",
            answer.shown()
        );
    }
    Ok(())
}

pub(in crate::conformance) async fn s52_v15_3_3_a_change_of_the_own_account_writes_no_key_flag_or_role(
    site: Site,
) -> Finding {
    let path = site.current_user()?.path;
    let (person, client) = site.user("ada").await?;
    let before =
        site.stored(&person.identifier).await?.ok_or_else(|| Stop::failed("a user is not stored"))?;
    for (key, value) in forbidden(&site, &person).await? {
        let mut body = json!({});
        body[&key] = value;
        let answer = client.patch(path, &body).await?;
        let after = site.stored(&person.identifier).await?;
        let untouched = after.is_some_and(|after| {
            after.id == before.id
                && after.verified == before.verified
                && after.active == before.active
                && after.roles.len() == before.roles.len()
                && after.password_hash == before.password_hash
        });
        ensure!(untouched, "{}, and the key `{key}` wrote what users may not write", answer.shown());
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s52_v15_3_1_no_response_shows_a_password_or_its_hash(
    site: Site,
) -> Finding {
    let desk = Desk::new(&site).await?;
    let (person, client) = (&desk.person, &desk.client);
    let mut answers = Vec::new();
    for form in &desk.forms {
        answers.push(desk.send(form, "application/json", form.body.to_string()).await?);
    }
    let (account, sessions) = (site.traits.groups.current_user, site.traits.groups.sessions);
    for path in account.map(|paths| paths.path).into_iter().chain(sessions.map(|paths| paths.path)) {
        answers.push(client.get(path).await?);
    }
    if let Ok(paths) = site.users()
        && let Ok((_, manager)) = site.manager("clara").await
    {
        answers.push(manager.get(paths.path).await?);
        answers.push(manager.get(&site.user_path(person)?).await?);
    }
    let stored = site.stored(&person.identifier).await?;
    let hash = stored.map(|user| user.password_hash).unwrap_or_default();
    let digest = hash.rsplit('$').next().unwrap_or_default();
    for answer in answers {
        let secret = answer.text.contains(&person.password)
            || answer.text.contains("$argon2")
            || (digest.len() > 20 && answer.text.contains(digest));
        ensure!(!secret, "{} shows a password or its hash", answer.asked);
    }
    Ok(())
}
