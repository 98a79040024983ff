//! TLS for connections that the library opens over HTTP: which cryptography, and whose certificates.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// TLS with the certificate authorities of this machine, such as those of a company's network, or, where it has none, as
/// a container without files may be, with those that Mozilla trusts.
///
/// The provider of cryptography is named here: a default of the process, or one that another crate switches on, would be
/// a second one.
pub(crate) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if usable == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
