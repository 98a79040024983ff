//! Who vouches for an identity (S44): one issuer, or, for Microsoft, one for each directory.

use serde_json::{Map, Value};

/// The directory of all personal accounts of Microsoft, from "Payload claims" (`tid`) of the reference of ID tokens,
/// <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>.
pub(super) const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Whose identities a provider may vouch for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Issuer {
    Exact(String),
    /// The endpoints that all directories share say `.../{tenantid}/v2.0`, and each ID token the directory's own
    /// (<https://learn.microsoft.com/entra/identity-platform/claims-validation#validate-the-issuer>).
    EachTenant {
        template: String,
        /// Whether personal accounts may sign in.
        personal: bool,
    },
}

/// What stands for a directory's identifier.
pub(super) const TENANT: &str = "{tenantid}";

impl Issuer {
    /// The issuer that these claims, which nobody has verified yet, have to be of.
    pub(super) fn of_claims(&self, claims: &Map<String, Value>) -> Option<String> {
        match self {
            Self::Exact(issuer) => Some(issuer.clone()),
            Self::EachTenant { template, personal } => {
                let tenant = claims.get("tid")?.as_str()?;
                let allowed = is_tenant_id(tenant) && (*personal || tenant != PERSONAL);
                allowed.then(|| template.replace(TENANT, tenant))
            }
        }
    }

    /// Whether an authorization response may say that it is from this issuer (RFC 9207, section 2.4).
    pub(super) fn accepts(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(own) => own == issuer,
            Self::EachTenant { template, .. } => {
                let Some((before, after)) = template.split_once(TENANT) else { return false };
                let tenant = issuer.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                tenant.is_some_and(is_tenant_id)
            }
        }
    }
}

/// Whether a text is the identifier of a directory, a UUID in lower case.
pub(super) fn is_tenant_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.hyphenated().to_string() == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WORK: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    fn shared(personal: bool) -> Issuer {
        Issuer::EachTenant { template: format!("https://login.example/{TENANT}/v2.0"), personal }
    }

    fn of(issuer: &Issuer, tenant: &Value) -> Option<String> {
        issuer.of_claims(json!({ "tid": tenant }).as_object().unwrap())
    }

    #[test]
    fn s46_the_issuer_of_a_shared_endpoint_is_that_of_the_tokens_directory() {
        assert_eq!(of(&shared(true), &json!(WORK)), Some(format!("https://login.example/{WORK}/v2.0")));
        assert_eq!(shared(true).of_claims(&Map::new()), None);
        for trick in [
            json!("common"),
            json!(""),
            json!(TENANT),
            json!(7),
            json!([WORK]),
            json!(WORK.to_uppercase()),
            json!(WORK.replace('-', "")),
            json!(format!("{{{WORK}}}")),
            json!(format!("{WORK}/v2.0#")),
            json!(format!("../{WORK}")),
        ] {
            assert_eq!(of(&shared(true), &trick), None, "{trick}");
        }
    }

    #[test]
    fn s46_personal_accounts_are_of_no_organization() {
        assert!(of(&shared(true), &json!(PERSONAL)).is_some());
        assert_eq!(of(&shared(false), &json!(PERSONAL)), None);
    }

    #[test]
    fn s43_an_answer_names_its_issuer_exactly() {
        let exact = Issuer::Exact("https://login.example/".to_owned());
        assert!(exact.accepts("https://login.example/"));
        for other in ["https://login.example", "https://login.example/a", "HTTPS://login.example/", ""] {
            assert!(!exact.accepts(other), "{other}");
        }
        assert!(shared(true).accepts(&format!("https://login.example/{WORK}/v2.0")));
        for other in [
            "https://login.example/v2.0",
            "https://login.example/{tenantid}/v2.0",
            "https://login.example/a/v2.0",
            WORK,
        ] {
            assert!(!shared(true).accepts(other), "{other}");
        }
    }
}
