//! How providers are reached: in time, without following anybody, and without swallowing whatever comes (S48).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, Response, header};
use serde_json::Value;
use url::Url;

use super::{
    fault::{Fault, Place},
    redirect::is_loopback,
};
use crate::error::Error;

/// The largest answer, in bytes: the key sets of large providers have some 10 KiB.
const BODY_LIMIT: usize = 256 * 1024;

/// How long a connection may take to open, at most: of the whole time there has to be some left for the answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Connections to all providers. How long a call may take is up to whoever makes it.
pub(super) struct Http {
    /// Goes by the proxies that the environment names (`HTTPS_PROXY`, `NO_PROXY`, ...), without which there is no way
    /// out of many companies' networks.
    remote: reqwest::Client,
    /// For this machine, which no proxy can reach.
    loopback: reqwest::Client,
}

impl Http {
    pub(super) fn new() -> Result<Self, Error> {
        let tls = crate::tls::client_config().map_err(Error::internal)?;
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                // Server-side request forgery: a redirect would carry codes and secrets to wherever it says.
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                // GitHub answers nobody who has no name.
                .user_agent(concat!("users-runtime/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            remote: builder().build().map_err(Error::internal)?,
            loopback: builder().no_proxy().build().map_err(Error::internal)?,
        })
    }

    /// Sends a request and reads its answer, whatever its status.
    pub(super) async fn send(
        &self,
        place: Place,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, Fault> {
        let unreachable = |error: reqwest::Error| {
            // Addresses belong to the settings; what is in a query does not belong in a log.
            Fault::Unreachable { place, cause: error.without_url().into() }
        };
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        let client = if is_loopback(request.url()) { &self.loopback } else { &self.remote };
        let mut response = client.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(Fault::TooLarge { place, limit: BODY_LIMIT });
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = Response::new(body);
        *answer.status_mut() = response.status();
        *answer.headers_mut() = std::mem::take(response.headers_mut());
        Ok(answer)
    }

    /// The JSON at an address, for whoever has the access token if there is one.
    pub(super) async fn json(
        &self,
        place: Place,
        url: &Url,
        access_token: Option<&str>,
    ) -> Result<Value, Fault> {
        let mut request = Request::new(Vec::new());
        *request.uri_mut() =
            url.as_str().parse().map_err(|_| place.invalid("its address is none for HTTP"))?;
        *request.headers_mut() = headers(place, access_token)?;
        let response = self.send(place, request).await?;
        if response.status() != http::StatusCode::OK {
            return Err(Fault::Status { place, status: response.status().as_u16() });
        }
        // What serde says of an error may quote the answer.
        serde_json::from_slice(response.body()).map_err(|_| place.invalid("is not JSON"))
    }
}

fn headers(place: Place, access_token: Option<&str>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if let Some(token) = access_token {
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| place.invalid("the access token is none for a header"))?;
        bearer.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, bearer);
    }
    Ok(headers)
}
