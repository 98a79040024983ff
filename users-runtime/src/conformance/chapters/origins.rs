//! Where requests come from, and what becomes of the answers.

use serde_json::json;

use crate::conformance::{Finding, Stop, client::Client, ensure, site::Site};

/// Somebody whose credential a browser adds by itself; for others no page of another origin can speak.
async fn browser(site: &Site) -> Result<Client, Stop> {
    let (_, client) = site.user("ada").await?;
    if client.credential().cookies.is_empty() {
        return Err(Stop::not_applicable("no browser adds the credential by itself"));
    }
    Ok(client)
}

/// Sends every generated request that changes something with these headers; all have to be refused for their origin.
async fn refused(site: &Site, headers: &[&[(&str, &str)]]) -> Finding {
    let client = browser(site).await?;
    for (route, path) in site.addresses().into_iter().filter(|(route, _)| !route.method.is_safe()) {
        for headers in headers {
            let sender = client.snapshot();
            let call = sender.call(route.method.as_str(), &path).headers(headers).json(&json!({}));
            let answer = call.send().await?;
            let refused = answer.status == 403 && answer.set_cookies().is_empty();
            ensure!(refused, "{}, with the headers {headers:?}", answer.shown());
        }
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s49_v3_5_1_every_unsafe_route_refuses_pages_of_other_origins(
    site: Site,
) -> Finding {
    refused(&site, &[&[("origin", "https://evil.example")], &[("origin", "null")]]).await
}

pub(in crate::conformance) async fn s49_v3_5_1_no_spelling_of_another_origin_passes(site: Site) -> Finding {
    let client = browser(&site).await?;
    let logout = site.auth()?.logout;
    let own = site.config().base_url.origin().ascii_serialization();
    let host = own.split_once("://").map_or(own.as_str(), |(_, host)| host);
    for origin in [
        String::new(),
        format!("{own}.evil.example"),
        format!("{own}@evil.example"),
        format!("https://evil.example/{own}"),
        format!("https://evil.example#{own}"),
        format!("https://x{host}"),
        format!("https://evil.{host}"),
        "https://localhost.evil.example".to_owned(),
        "https://127.0.0.1.evil.example".to_owned(),
        "file://".to_owned(),
        "chrome-extension://evil".to_owned(),
    ] {
        let call = client.snapshot();
        let answer = call.call("POST", logout).header("origin", &origin).send().await?;
        ensure!(answer.status == 403, "{}, to a page of `{origin}`", answer.shown());
    }
    site.lets_in(&client).await
}

pub(in crate::conformance) async fn s49_v3_5_1_fetch_metadata_of_another_site_is_refused(
    site: Site,
) -> Finding {
    let site_is = |value| [("sec-fetch-site", value)];
    refused(&site, &[&site_is("cross-site"), &site_is("same-site"), &site_is("nonsense")]).await
}

pub(in crate::conformance) async fn s49_v3_5_1_a_login_from_a_page_of_another_origin_is_refused(
    site: Site,
) -> Finding {
    browser(&site).await?;
    let person = site.person("ben").await?;
    let account = site.account(&person.identifier, &person.password);
    for headers in [[("origin", "https://evil.example")], [("sec-fetch-site", "cross-site")]] {
        let client = site.client();
        let answer = client.call("POST", site.auth()?.login).headers(&headers).json(&account).send().await?;
        let given = !client.credential().cookies.is_empty();
        ensure!(answer.status == 403 && !given, "{}, to a page of another origin", answer.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s49_v4_4_2_a_websocket_from_a_page_of_another_origin_is_refused(
    site: Site,
) -> Finding {
    let client = browser(&site).await?;
    let door = site.door()?;
    for origin in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        for protocol in ["websocket", "WebSocket"] {
            let call = client.call("GET", &door).headers(&[
                origin,
                ("connection", "upgrade"),
                ("upgrade", protocol),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]);
            call.send().await?.status(403)?;
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s49_v3_4_2_no_page_of_another_origin_reads_answers(
    site: Site,
) -> Finding {
    let (_, client) = site.user("ada").await?;
    for (_, path) in site.addresses() {
        for method in ["GET", "OPTIONS"] {
            let call = client.call(method, &path).headers(&[
                ("origin", "https://evil.example"),
                ("access-control-request-method", "POST"),
                ("access-control-request-headers", "content-type"),
            ]);
            let answer = call.send().await?;
            let allowed = answer.header("access-control-allow-origin");
            let reads = allowed == "*" || allowed.contains("evil.example") || allowed == "null";
            ensure!(!reads, "{}, and lets `https://evil.example` read it", answer.shown());
        }
    }
    Ok(())
}

/// Asks every generated route, as a stranger and as a user, and looks at a header of each answer.
async fn every_answer(site: &Site, header: &str, holds: fn(&str) -> bool) -> Finding {
    let person = site.person("ada").await?;
    let mut user = None;
    for (route, path) in site.addresses() {
        for logged_in in [false, true] {
            let client = match &user {
                _ if !logged_in || site.auth().is_err() => site.client(),
                Some(client) => Client::snapshot(client),
                None => site.logged_in(&person).await?,
            };
            let call = client.call(route.method.as_str(), &path);
            let call = if route.method.is_safe() { call } else { call.json(&json!({})) };
            let answer = call.send().await?;
            let value = answer.header(header);
            ensure!(holds(value), "{}, with `{header}: {value}`", answer.shown());
            // A request that succeeds may have ended the login.
            let ended = answer.succeeded() && !route.method.is_safe();
            user = if logged_in && !ended { Some(client) } else { user.filter(|_| !ended) };
        }
    }
    Ok(())
}

pub(in crate::conformance) async fn s50_v14_3_2_no_generated_route_is_kept_in_caches(site: Site) -> Finding {
    every_answer(&site, "cache-control", |value| value.contains("no-store")).await
}

pub(in crate::conformance) async fn s50_v3_4_4_no_generated_route_lets_browsers_guess_at_its_type(
    site: Site,
) -> Finding {
    every_answer(&site, "x-content-type-options", |value| value == "nosniff").await
}
