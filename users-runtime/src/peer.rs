//! Where a request comes from: the client's address, past the proxies that are trusted.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName, request::Parts};
use ipnet::IpNet;

use crate::error::Error;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client that sent a request, as far as it can be known: that of the connection, or what a trusted
/// proxy says of it (S15). Requests carry it as an extension.
///
/// It is known where the application is served by
/// [`into_make_service`](crate::UsersRouter::into_make_service), or by axum's `into_make_service_with_connect_info` around
/// a router of one's own.
///
/// ```
/// use users_runtime::{ClientAddress, Parts};
///
/// fn is_local(request: &Parts) -> bool {
///     ClientAddress::of(request).is_some_and(|address| address.is_loopback())
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address of the client that sent a request; `None` where nothing says it.
    #[must_use]
    pub fn of(request: &Parts) -> Option<IpAddr> {
        request.extensions.get::<Self>().map(|address| address.0)
    }

    /// Notes the address in a request, in place of what another router may have noted.
    pub(crate) fn note(proxies: &Proxies, headers: &HeaderMap, extensions: &mut Extensions) {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        match peer {
            Some(peer) => drop(extensions.insert(Self(proxies.client(peer, headers)))),
            None => drop(extensions.remove::<Self>()),
        }
    }
}

/// The networks whose proxies are trusted to say whom they speak for; none by default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Networks such as `10.0.0.0/8`, and single addresses, separated by commas or white space.
    pub(crate) fn parse(name: &'static str, networks: &str) -> Result<Self, Error> {
        let words = networks.split(|separator: char| separator == ',' || separator.is_whitespace());
        let parse = |word: &str| {
            let single = word.parse().map(|address: IpAddr| IpNet::from(address.to_canonical()));
            single.or_else(|_| word.parse()).map_err(|_| Error::Setting {
                name,
                problem: format!("`{word}` is no network; write for example `10.0.0.0/8` or `192.0.2.7`"),
            })
        };
        words.filter(|word| !word.is_empty()).map(parse).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address that the last proxy which is trusted was spoken to from.
    ///
    /// Each proxy adds to the end of the header, so it is read from there: what stands further left than the first address
    /// that is not trusted, the client may have written itself (CVE-2025-59152).
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let hops = headers.get_all(X_FORWARDED_FOR);
        let hops: Vec<_> =
            hops.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect();
        let mut hops = hops.into_iter().rev();
        while self.trusts(client) {
            match hops.next().and_then(hop) {
                Some(address) => client = address.to_canonical(),
                // A proxy that says nothing, or nonsense, stands for itself.
                None => break,
            }
        }
        client
    }
}

/// An address as proxies write them: alone, or with a port.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(networks: &str, peer: &str, forwarded: &[&str]) -> String {
        let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, value.parse().unwrap())).collect();
        Proxies::parse("TRUSTED_PROXIES", networks)
            .unwrap()
            .client(peer.parse().unwrap(), &headers)
            .to_string()
    }

    #[test]
    fn s15_without_trusted_proxies_the_connection_decides() {
        assert_eq!(client("", "192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(client("", "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("10.0.0.0/8", "192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(client("", "::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn s15_the_right_most_address_that_is_not_trusted_is_the_client() {
        let trusted = "10.0.0.0/8, 192.0.2.7 2001:db8::/32";
        for (peer, forwarded, expected) in [
            ("10.0.0.1", &["203.0.113.9"][..], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9", "192.0.2.7"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("2001:db8::1", &["[2001:db9::5]:4711"], "2001:db9::5"),
            ("10.0.0.1", &["203.0.113.9:80"], "203.0.113.9"),
            ("10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            // Everybody on the way is trusted: the first of them is who began.
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ] {
            assert_eq!(client(trusted, peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn s15_a_proxy_that_says_nothing_or_nonsense_stands_for_itself() {
        for forwarded in
            [&[][..], &["unknown"], &["203.0.113.9, "], &["203.0.113.9, evil"], &["203.0.113.9;"]]
        {
            assert_eq!(client("10.0.0.1", "10.0.0.1", forwarded), "10.0.0.1", "{forwarded:?}");
        }
    }

    #[test]
    fn a_network_that_is_none_is_refused_with_one_that_is() {
        let problem = Proxies::parse("TRUSTED_PROXIES", "10.0.0.0/8, proxy.local").unwrap_err().to_string();
        assert!(problem.starts_with("TRUSTED_PROXIES: `proxy.local` is no network; write"), "{problem}");
        assert!(Proxies::parse("TRUSTED_PROXIES", "10.0.0.0/33").is_err());
    }
}
