//! What browsers are told of cookies.

use crate::conformance::{Finding, Stop, answer::Answer, ensure, site::Site};

/// A cookie as a response sets it.
#[derive(Debug)]
struct Cookie {
    text: String,
    name: String,
    value: String,
    attributes: Vec<String>,
}

impl Cookie {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap_or_default();
        let attributes = parts.map(str::to_ascii_lowercase).collect();
        Self { text: text.to_owned(), name: name.to_owned(), value: value.to_owned(), attributes }
    }

    fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own == attribute)
    }

    /// What messages may show of it: not its value.
    fn shown(&self) -> String {
        self.text.replace(&self.value, "...")
    }
}

/// The cookies of a login and of the logout after it, and the answer to the login.
async fn cookies(site: &Site) -> Result<(Vec<Cookie>, Answer), Stop> {
    let paths = site.auth()?;
    let person = site.person("ada").await?;
    let client = site.client();
    let login = site.log_in(&client, &person.identifier, &person.password).await?.success()?;
    let logout = client.bare("POST", paths.logout).await?.success()?;
    let set = login.set_cookies().into_iter().chain(logout.set_cookies());
    let cookies: Vec<_> = set.map(|text| Cookie::parse(&text)).collect();
    if cookies.is_empty() {
        return Err(Stop::not_applicable("a login gives no cookie"));
    }
    Ok((cookies, login))
}

pub(in crate::conformance) async fn s26_v3_3_1_cookies_are_for_https_alone(site: Site) -> Finding {
    for cookie in cookies(&site).await?.0 {
        ensure!(cookie.has("secure"), "a cookie is set without `Secure`: {}", cookie.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s26_v3_3_2_cookies_stay_on_the_site(site: Site) -> Finding {
    for cookie in cookies(&site).await?.0 {
        let stays = cookie.has("samesite=lax") || cookie.has("samesite=strict");
        ensure!(stays, "a cookie is set without `SameSite`: {}", cookie.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s26_v3_3_3_cookies_are_of_this_host_alone(site: Site) -> Finding {
    for cookie in cookies(&site).await?.0 {
        let shown = cookie.shown();
        ensure!(cookie.name.starts_with("__Host-"), "a cookie has no prefix `__Host-`: {shown}");
        ensure!(cookie.has("path=/"), "a browser refuses `__Host-` without `Path=/`: {shown}");
        let domain = cookie.attributes.iter().any(|attribute| attribute.starts_with("domain"));
        ensure!(!domain, "a cookie goes to other hosts too: {shown}");
    }
    Ok(())
}

pub(in crate::conformance) async fn s26_v3_3_4_cookies_are_out_of_reach_of_scripts(site: Site) -> Finding {
    for cookie in cookies(&site).await?.0 {
        ensure!(cookie.has("httponly"), "a cookie is set without `HttpOnly`: {}", cookie.shown());
    }
    Ok(())
}

pub(in crate::conformance) async fn s26_v3_3_4_no_token_in_a_cookie_is_in_a_body_too(site: Site) -> Finding {
    let (cookies, login) = cookies(&site).await?;
    for cookie in cookies.iter().filter(|cookie| !cookie.value.is_empty()) {
        ensure!(!login.text.contains(&cookie.value), "the body of a login shows the cookie {}", cookie.name);
    }
    Ok(())
}
