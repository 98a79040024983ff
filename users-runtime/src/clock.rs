//! The one clock: Unix time in milliseconds, as the library's own tables store it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// A duration in milliseconds, at most the largest that fits.
pub(crate) fn millis(duration: impl std::borrow::Borrow<Duration>) -> i64 {
    i64::try_from(duration.borrow().as_millis()).unwrap_or(i64::MAX)
}

/// A moment in milliseconds since 1970 as RFC 3339 writes it.
pub(crate) fn rfc3339(milliseconds: i64) -> Result<String, time::error::Format> {
    let since = Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default());
    OffsetDateTime::from(UNIX_EPOCH + since).format(&Rfc3339)
}

/// The same as people read it, to the minute.
pub(crate) fn for_people(milliseconds: i64) -> Result<String, time::error::Format> {
    let text = rfc3339(milliseconds - milliseconds.rem_euclid(60_000))?;
    Ok(text.replace('T', " ").replace(":00Z", " UTC"))
}

/// A moment in milliseconds since 1970, as RFC 3339 writes it in JSON.
pub(crate) mod moment {
    use serde::{Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
    pub(crate) fn serialize<S: Serializer>(milliseconds: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        super::rfc3339(*milliseconds).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }

    /// The same out of a response.
    #[cfg(feature = "client")]
    pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        use serde::{Deserialize, de::Error};
        use time::{OffsetDateTime, format_description::well_known::Rfc3339};

        let text = String::deserialize(deserializer)?;
        let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(D::Error::custom)?;
        i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).map_err(D::Error::custom)
    }

    /// A moment that may be absent.
    pub(crate) mod optional {
        use serde::{Serialize, Serializer};

        #[derive(Serialize)]
        #[cfg_attr(feature = "client", derive(serde::Deserialize))]
        struct Moment(#[serde(with = "super")] i64);

        #[expect(clippy::ref_option, reason = "serde hands fields over by reference")]
        pub(crate) fn serialize<S: Serializer>(
            milliseconds: &Option<i64>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            milliseconds.map(Moment).serialize(serializer)
        }

        #[cfg(feature = "client")]
        pub(crate) fn deserialize<'de, D: serde::Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<i64>, D::Error> {
            use serde::Deserialize;

            Ok(Option::<Moment>::deserialize(deserializer)?.map(|Moment(milliseconds)| milliseconds))
        }
    }
}
