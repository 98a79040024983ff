//! Who may do what.

use serde_json::json;

use crate::{
    conformance::{Finding, Stop, answer::Answer, client::Client, ensure, site::Site},
    operation::{Access, GeneratedRoute},
};

/// Sends a request to a route with whatever body fits its method.
async fn ask(client: &Client, route: &GeneratedRoute, path: &str) -> Result<Answer, Stop> {
    let call = client.call(route.method.as_str(), path);
    if route.method.is_safe() { call.send().await } else { call.json(&json!({})).send().await }
}

pub(in crate::conformance) async fn s53_v8_2_1_every_protected_route_is_closed_to_strangers(
    site: Site,
) -> Finding {
    let closed = site.closed_addresses();
    if closed.is_empty() {
        return Err(Stop::not_applicable("no generated route needs a login"));
    }
    for (route, path) in closed {
        let answer = ask(&site.client(), &route, &path).await?.unauthenticated()?;
        let challenge = answer.header("www-authenticate");
        ensure!(!challenge.is_empty(), "{}, without `WWW-Authenticate` (RFC 9110)", answer.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s53_v8_2_1_every_guarded_route_is_closed_to_users(site: Site) -> Finding {
    let (person, client) = site.user("ada").await?;
    let guarded: Vec<_> =
        site.addresses().into_iter().filter(|(route, _)| route.access == Access::Guarded).collect();
    if guarded.is_empty() {
        return Err(Stop::not_applicable("no generated route is for some users alone"));
    }
    for (route, path) in guarded {
        ask(&client, &route, &path).await?.status(403)?;
        // Nor by the key of somebody who is there.
        if let Ok(users) = site.users()
            && route.path.starts_with(&format!("{}/{{", users.path))
        {
            let own = route.path.replace("{id}", &person.key);
            ask(&client, &route, &own).await?.status(403)?;
        }
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s53_v8_2_1_a_credential_that_is_no_good_opens_no_route(
    site: Site,
) -> Finding {
    let (_, client) = site.user("ada").await?;
    let mut credential = client.credential();
    for secret in credential.cookies.values_mut().chain(&mut credential.bearer) {
        *secret = "A".repeat(secret.len());
    }
    let intruder = client.with(credential);
    for (route, path) in site.closed_addresses() {
        let sender = intruder.snapshot();
        ask(&sender, &route, &path).await?.unauthenticated()?;
    }
    Ok(())
}

pub(in crate::conformance) async fn s53_v8_2_1_routes_of_the_applications_own_are_closed_to_strangers(
    site: Site,
) -> Finding {
    if site.suite.protected.is_empty() {
        return Err(Stop::not_applicable("no route is named in `Suite::with_protected`"));
    }
    for path in &site.suite.protected {
        for method in ["GET", "HEAD"] {
            site.client().bare(method, path).await?.unauthenticated()?;
            site.client().with_bearer("junk").bare(method, path).await?.unauthenticated()?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s53_v8_2_2_users_reach_no_other_users_account(site: Site) -> Finding {
    site.users()?;
    let other = site.person("ben").await?;
    let (_, client) = site.user("ada").await?;
    let path = site.user_path(&other)?;
    client.get(&path).await?.status(403)?;
    client.patch(&path, &json!({})).await?.status(403)?;
    client.bare("DELETE", &path).await?.status(403)?;
    client.bare("DELETE", &format!("{path}/sessions")).await?.status(403)?;
    ensure!(site.stored(&other.identifier).await?.is_some(), "a user deletes somebody else's account");
    Ok(())
}

pub(in crate::conformance) async fn s53_v4_1_4_head_and_options_reveal_nothing(site: Site) -> Finding {
    let person = site.person("ada").await?;
    for (_, path) in site.closed_addresses() {
        for method in ["HEAD", "OPTIONS"] {
            let answer = site.client().bare(method, &path).await?;
            ensure!(!answer.succeeded() && answer.status < 500, "{}, to a stranger", answer.shown());
            ensure!(!answer.text.contains(&person.identifier), "{} names a user", answer.asked);
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s53_v4_1_4_a_method_that_a_route_does_not_know_is_405(
    site: Site,
) -> Finding {
    for (_, path) in site.addresses() {
        for method in ["TRACE", "PROPFIND"] {
            let answer = site.client().bare(method, &path).await?.status(405)?;
            ensure!(!answer.header("allow").is_empty(), "{}, without `Allow` (RFC 9110)", answer.shown());
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s53_a_path_that_does_not_exist_is_404(site: Site) -> Finding {
    for path in ["/no/such/route", "/.env", "/.git/config", "/admin.php", "/actuator/env", "/debug"] {
        for method in ["GET", "POST"] {
            site.client().bare(method, path).await?.status(404)?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s54_v8_3_1_no_spelling_of_a_path_opens_a_protected_route(
    site: Site,
) -> Finding {
    site.person("ada").await?;
    let reads = site.closed_addresses().into_iter().filter(|(route, _)| route.method.is_safe());
    let own = site.suite.protected.iter().cloned();
    for path in reads.map(|(_, path)| path).chain(own) {
        let tail = path.trim_start_matches('/');
        let last = path.chars().last().map_or(0, u32::from);
        let spellings = [
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}//"),
            format!("{path}%2f"),
            format!("{path}%00"),
            format!("{path};x=y"),
            format!("{path}.json"),
            format!("{path}?x=y"),
            format!("{path}%20"),
            format!("{}%{last:02x}", &path[..path.len() - 1]),
            format!("/public/..%2f{tail}"),
            format!("/%2e/{tail}"),
            format!("/x/..;/{tail}"),
            path.to_uppercase(),
        ];
        // Of the root alone, one of them is no path any more.
        for spelling in spellings.into_iter().filter(|spelling| spelling.starts_with('/')) {
            let answer = site.client().get(&spelling).await?;
            ensure!(!answer.succeeded() && answer.status < 500, "{}, to a stranger", answer.shown());
        }
        // Proxies and frameworks that believe these let strangers in elsewhere.
        let claims = [
            ("x-original-url", "/"),
            ("x-rewrite-url", "/"),
            ("x-http-method-override", "OPTIONS"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-user", "ada"),
            ("x-user-id", "1"),
            ("x-remote-user", "ada"),
        ];
        site.client().call("GET", &path).headers(&claims).send().await?.unauthenticated()?;
    }
    Ok(())
}

/// What lists must not be asked about.
const SECRETS: [&str; 7] =
    ["password_hash", "password", "hashed_password", "-password_hash", "1", "(SELECT 1)", "id;--"];

pub(in crate::conformance) async fn s55_v1_2_4_lists_are_sorted_by_no_secret(site: Site) -> Finding {
    let path = site.users()?.path;
    let (_, manager) = site.manager("clara").await?;
    for secret in SECRETS {
        let query: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        manager.get(&format!("{path}?sort={query}")).await?.refused()?;
    }
    manager.get(path).await?.success().map(drop)
}

pub(in crate::conformance) async fn s55_v1_2_4_lists_are_filtered_by_no_secret(site: Site) -> Finding {
    let path = site.users()?.path;
    let (_, manager) = site.manager("clara").await?;
    for secret in SECRETS {
        let query: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for condition in [
            format!("{query}=%24argon2"),
            format!("{query}__startswith=%24"),
            format!("{query}[like]=%24%25"),
        ] {
            manager.get(&format!("{path}?{condition}")).await?.refused()?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s55_v1_2_4_sql_in_a_search_finds_nothing(site: Site) -> Finding {
    let path = site.users()?.path;
    let (_, manager) = site.manager("clara").await?;
    site.person("ada").await?;
    for search in ["' OR '1'='1", "%", "_", "a%' --", "*", "' UNION SELECT password_hash FROM users --", "\\"]
    {
        let query: String = url::form_urlencoded::byte_serialize(search.as_bytes()).collect();
        let answer = manager.get(&format!("{path}?search={query}")).await?.success()?;
        let found = answer.json()["items"].as_array().map(Vec::len);
        ensure!(found == Some(0), "a search for `{search}` finds somebody: {}", answer.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s56_v6_3_2_no_well_known_account_logs_in(site: Site) -> Finding {
    site.auth()?;
    for name in ["admin", "root", "test", "user", "demo"] {
        for identifier in [site.identifier(name), format!("{name}@localhost")] {
            for password in [name, "password", "changeme"] {
                let answer = site.log_in(&site.client(), &identifier, password).await?;
                ensure!(!answer.succeeded(), "`{identifier}` logs in with `{password}`");
            }
        }
    }
    Ok(())
}

/// Asserts that an administrator who is the only one still is.
async fn still_administers(site: &Site, identifier: &str, client: &Client) -> Finding {
    let role = site.config().administrator_role.clone();
    let stored = site.stored(identifier).await?;
    let kept = stored.is_some_and(|user| user.active && user.has(&role));
    ensure!(kept, "nobody is left who may administer");
    client.get(site.users()?.path).await?.success().map(drop)
}

pub(in crate::conformance) async fn s56_the_last_administrator_is_not_deleted(site: Site) -> Finding {
    let (person, manager) = site.manager("clara").await?;
    manager.bare("DELETE", &site.user_path(&person)?).await?.status(409)?;
    if let Some(paths) = site.traits.groups.current_user.filter(|paths| paths.delete) {
        let body = json!({ "current_password": person.password });
        manager.call("DELETE", paths.path).json(&body).send().await?.status(409)?;
    }
    still_administers(&site, &person.identifier, &manager).await
}

pub(in crate::conformance) async fn s56_the_last_administrator_is_not_deactivated(site: Site) -> Finding {
    let (person, manager) = site.manager("clara").await?;
    let mut body = json!({});
    body[&site.active_field(&person).await?] = json!(false);
    manager.patch(&site.user_path(&person)?, &body).await?.status(409)?;
    still_administers(&site, &person.identifier, &manager).await
}

pub(in crate::conformance) async fn s56_the_last_administrator_is_not_demoted(site: Site) -> Finding {
    let paths = site.roles()?;
    let (person, manager) = site.manager("clara").await?;
    let stored = site.stored(&person.identifier).await?;
    let roles = stored.map(|user| user.roles.into_iter().map(|role| role.id).collect::<Vec<_>>());
    for role in roles.unwrap_or_default() {
        let body = json!({"user_id": person.id.clone(), "role_id": role});
        manager.call("PUT", paths.revoke).json(&body).send().await?.status(409)?;
        let role = role.as_str().map_or_else(|| role.to_string(), str::to_owned);
        manager.bare("DELETE", &format!("{}/{role}", paths.path)).await?.status(409)?;
    }
    still_administers(&site, &person.identifier, &manager).await
}
