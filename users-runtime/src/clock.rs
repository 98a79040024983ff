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
