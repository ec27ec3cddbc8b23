//! Times as the user reads them. All derive from the record's boot time and
//! from what the session says of its clocks; the machine that renders has no
//! part in it.

use jiff::{Timestamp, tz::Offset};

use crate::session::Session;

/// Which time heads a line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeDisplay {
    /// Local time where the session was traced.
    #[default]
    Local,
    /// UTC.
    Utc,
    /// Seconds since the session began.
    Relative,
}

impl TimeDisplay {
    /// A boot time in this display, to the millisecond.
    pub fn format(self, session: &Session, boot_ns: u64) -> String {
        let offset = match self {
            Self::Local => session.info().utc_offset_s,
            Self::Utc => 0,
            Self::Relative => {
                let since = i128::from(boot_ns) - i128::from(session.info().boot_ns);
                let sign = if since < 0 { '-' } else { '+' };
                let ms = since.unsigned_abs() / 1_000_000;
                return format!("{sign}{}.{:03}", ms / 1000, ms % 1000);
            }
        };
        let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
        offset
            .to_datetime(timestamp(session, boot_ns))
            .strftime("%H:%M:%S.%3f")
            .to_string()
    }
}

/// A boot time as date and local time there, with what that is ahead of UTC.
pub fn date(session: &Session, boot_ns: u64) -> String {
    let offset = Offset::from_seconds(session.info().utc_offset_s).unwrap_or(Offset::UTC);
    let local = offset.to_datetime(timestamp(session, boot_ns));
    format!("{} UTC{offset}", local.strftime("%Y-%m-%d %H:%M:%S.%3f"))
}

/// A boot time as RFC 3339 with nanoseconds, UTC.
pub fn rfc3339(session: &Session, boot_ns: u64) -> String {
    format!("{:.9}", timestamp(session, boot_ns))
}

/// A time that no calendar has is shown as its beginning.
fn timestamp(session: &Session, boot_ns: u64) -> Timestamp {
    Timestamp::from_nanosecond(session.wall_ns(boot_ns)).unwrap_or(Timestamp::MIN)
}
