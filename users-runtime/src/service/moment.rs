//! Moments in answers: milliseconds since 1970 to programs, RFC 3339 in JSON.

use serde::{Serialize, Serializer, ser::Error as _};

use crate::clock;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
pub(super) fn serialize<S: Serializer>(milliseconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    clock::rfc3339(*milliseconds).map_err(S::Error::custom)?.serialize(serializer)
}

/// The same out of a response.
#[cfg(feature = "client")]
pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    use serde::{Deserialize, de::Error};
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};

    let text = String::deserialize(deserializer)?;
    let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(D::Error::custom)
}

/// A moment that may be absent.
pub(super) mod optional {
    use serde::{Serialize, Serializer};

    #[derive(Serialize)]
    #[cfg_attr(feature = "client", derive(serde::Deserialize))]
    struct Moment(#[serde(with = "super")] i64);

    #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
    pub(in crate::service) fn serialize<S: Serializer>(
        milliseconds: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        milliseconds.map(Moment).serialize(serializer)
    }

    #[cfg(feature = "client")]
    pub(in crate::service) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        use serde::Deserialize;

        Ok(Option::<Moment>::deserialize(deserializer)?.map(|Moment(milliseconds)| milliseconds))
    }
}
