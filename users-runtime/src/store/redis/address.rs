//! Where Redis is: addresses as settings state them.

use std::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use rustls::crypto::CryptoProvider;
use url::form_urlencoded;

/// Where Redis is. It holds passwords, and has no `Debug`.
#[derive(Clone)]
pub(super) enum Address {
    /// One server.
    Server(ConnectionInfo),
    /// Some nodes of a Cluster.
    Cluster(Vec<ConnectionInfo>),
    /// The primary that Sentinels know by a name.
    Sentinel { sentinels: Vec<ConnectionInfo>, name: String, primary: ConnectionInfo },
}

/// What an address says besides.
#[derive(Default)]
pub(super) struct Options {
    pub(super) replicas: usize,
    pub(super) prefix: Option<String>,
    pub(super) timeout: Option<Duration>,
}

const SENTINEL_PORT: u16 = 26379;

const FORMS: &str = "the address of Redis makes no sense; write `redis://host:port/db`, `rediss://host:port/db`, \
    `redis+cluster://host:port,host:port` or `redis+sentinel://host:port,host:port/name/db`, with `name:password@` in front \
    of the first host if need be";
const DATABASE: &str = "a Redis Cluster has no databases; write `redis+cluster://host:port,host:port`";
const NAME: &str = "the name of the primary is missing; write `redis+sentinel://host:port,host:port/name/db`";
const PARAMETERS: &str = "unknown parameter of the address of Redis; write `replicas=1`, `prefix=users:`, `timeout=2000` \
    (milliseconds) or, with Sentinel, `sentinel_name` and `sentinel_password`";

/// Reads an address. What is wrong with it is said without quoting it, for it may hold a password.
pub(super) fn parse(url: &str) -> Result<(Address, Options), &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or(FORMS)?;
    let scheme = scheme.to_ascii_lowercase();
    let (scheme, kind) = scheme.split_once('+').unwrap_or((&scheme, ""));
    if !matches!(scheme, "redis" | "rediss") || rest.contains('#') {
        return Err(FORMS);
    }
    if scheme == "rediss" && CryptoProvider::get_default().is_none() {
        // An application that has a provider of its own has set it by now, or has no say. With two of them in the program
        // and none set, TLS would panic.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    // A password may hold a second `@` without its escape.
    let (login, hosts) = authority.rsplit_once('@').map_or(("", authority), |(login, hosts)| (login, hosts));
    let parameters = Parameters::parse(query)?;

    let server = |login: &str, host: &str, database: &str| -> Result<ConnectionInfo, &'static str> {
        let login = if login.is_empty() { String::new() } else { format!("{login}@") };
        let url = format!("{scheme}://{login}{host}/{database}");
        if host.is_empty() || !database.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FORMS);
        }
        // What the library says may quote the address.
        url.into_connection_info().map_err(|_| FORMS)
    };
    let address = match kind {
        "" if hosts.contains(',') => return Err(FORMS),
        "" => Address::Server(server(login, hosts, path)?),
        "cluster" if !matches!(path, "" | "0") => return Err(DATABASE),
        "cluster" => {
            Address::Cluster(hosts.split(',').map(|host| server(login, host, "")).collect::<Result<_, _>>()?)
        }
        "sentinel" => {
            let (name, database) = path.split_once('/').unwrap_or((path, ""));
            if name.is_empty() {
                return Err(NAME);
            }
            let sentinel = |host: &str| {
                let info = server(&parameters.sentinel_login(), host, "")?;
                Ok(if has_port(host) { info } else { with_port(info, SENTINEL_PORT) })
            };
            let sentinels: Vec<_> = hosts.split(',').map(sentinel).collect::<Result<_, &'static str>>()?;
            let first = hosts.split(',').next().unwrap_or_default();
            Address::Sentinel { sentinels, name: name.to_owned(), primary: server(login, first, database)? }
        }
        _ => return Err(FORMS),
    };
    Ok((address, parameters.options))
}

/// Whether a host is followed by a port; an address in brackets has colons of its own.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'))
}

fn with_port(info: ConnectionInfo, port: u16) -> ConnectionInfo {
    let host = match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => return info,
    };
    with_host(info, host, port)
}

/// The same server settings at another place.
pub(super) fn with_host(info: ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = match info.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.set_addr(address)
}

#[derive(Default)]
struct Parameters {
    options: Options,
    sentinel_name: String,
    sentinel_password: Option<String>,
}

impl Parameters {
    fn parse(query: &str) -> Result<Self, &'static str> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "replicas" => parameters.options.replicas = value.parse().map_err(|_| PARAMETERS)?,
                "prefix" => parameters.options.prefix = Some(value.into_owned()),
                "timeout" => {
                    let timeout = value.parse().ok().filter(|timeout| *timeout > 0).ok_or(PARAMETERS)?;
                    parameters.options.timeout = Some(Duration::from_millis(timeout));
                }
                "sentinel_name" => parameters.sentinel_name = value.into_owned(),
                "sentinel_password" => parameters.sentinel_password = Some(value.into_owned()),
                _ => return Err(PARAMETERS),
            }
        }
        Ok(parameters)
    }

    /// What stands in front of the host of a Sentinel.
    fn sentinel_login(&self) -> String {
        let escaped = |text: &str| {
            // The escapes of forms, but for the space, which a URL has no `+` for.
            form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
        };
        match &self.sentinel_password {
            Some(password) => format!("{}:{}", escaped(&self.sentinel_name), escaped(password)),
            None => escaped(&self.sentinel_name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (Address, Options) {
        parse(url).unwrap_or_else(|problem| panic!("{url}: {problem}"))
    }

    fn shown(info: &ConnectionInfo) -> String {
        let redis = info.redis_settings();
        let (name, password) = (redis.username().unwrap_or("-"), redis.password().unwrap_or("-"));
        format!("{name} {password} {} {}", info.addr(), redis.db())
    }

    #[test]
    fn one_server_is_read_with_its_login_and_its_database() {
        for (url, expected) in [
            ("redis://host", "- - host:6379 0"),
            ("REDIS://host:1/3", "- - host:1 3"),
            ("redis://:s3cret@[::1]:1", "- s3cret ::1:1 0"),
            ("rediss://ann:s%40cret@host/2?replicas=1", "ann s@cret host:6379 2"),
        ] {
            let Address::Server(info) = parsed(url).0 else { panic!("{url}") };
            assert_eq!(shown(&info), expected, "{url}");
        }
        let Address::Server(info) = parsed("rediss://host").0 else { panic!("a server") };
        assert!(matches!(info.addr(), ConnectionAddr::TcpTls { insecure: false, .. }));
    }

    #[test]
    fn every_node_of_a_cluster_has_the_login() {
        let Address::Cluster(nodes) = parsed("redis+cluster://ann:s3cret@a:1,b:2").0 else {
            panic!("a Cluster")
        };
        let nodes: Vec<_> = nodes.iter().map(shown).collect();
        assert_eq!(nodes, ["ann s3cret a:1 0", "ann s3cret b:2 0"]);
    }

    #[test]
    fn sentinels_have_a_login_of_their_own() {
        let url = "redis+sentinel://ann:s3cret@a,b:2/primary/4?sentinel_name=bob&sentinel_password=p%20+%40";
        let Address::Sentinel { sentinels, name, primary } = parsed(url).0 else { panic!("Sentinels") };
        let sentinels: Vec<_> = sentinels.iter().map(shown).collect();
        assert_eq!(sentinels, ["bob p  @ a:26379 0", "bob p  @ b:2 0"]);
        assert_eq!(name, "primary");
        let primary = with_host(primary, "c".to_owned(), 5);
        assert_eq!(shown(&primary), "ann s3cret c:5 4");
    }

    #[test]
    fn parameters_are_options() {
        let options = parsed("redis://host?replicas=2&prefix=app:&timeout=500").1;
        assert_eq!((options.replicas, options.prefix.as_deref()), (2, Some("app:")));
        assert_eq!(options.timeout, Some(Duration::from_millis(500)));
        for query in ["replica=1", "replicas=-1", "timeout=0", "timeout=2s"] {
            assert_eq!(parse(&format!("redis://host?{query}")).err(), Some(PARAMETERS), "{query}");
        }
    }
}
