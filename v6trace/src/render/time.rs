//! Times as the user reads them. All derive from the record's boot time and
//! from what the session says of its clocks; the machine that renders has no
//! part in it.

use std::fmt::Write as _;

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

/// Gives many times as RFC 3339: those of one second differ only at the end.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The last time given.
    text: String,
    /// Its second since 1970, if it can be kept.
    second: Option<i64>,
}

/// Digits of the nanoseconds, and the `Z` behind them.
const FRACTION: usize = 9;
const NANOSECONDS: i64 = 1_000_000_000;

impl Clock {
    /// A boot time as [`rfc3339`] gives it.
    pub(super) fn rfc3339(&mut self, session: &Session, boot_ns: u64) -> &str {
        // Of 64 bits, which are divided faster and reach to the year 2262.
        let wall_ns = i64::try_from(session.wall_ns(boot_ns)).ok();
        let second = wall_ns.map(|wall_ns| wall_ns.div_euclid(NANOSECONDS));
        if let Some(wall_ns) = wall_ns
            && self.second == second
        {
            let rest = wall_ns.rem_euclid(NANOSECONDS);
            self.text.truncate(self.text.len() - FRACTION - 1);
            // Memory takes whatever is written.
            let _ = write!(self.text, "{rest:09}Z");
        } else {
            self.text = rfc3339(session, boot_ns);
            // Before 1970 the fraction counts towards it.
            self.second = second.filter(|&second| second >= 0);
        }
        &self.text
    }
}

/// A time that no calendar has is shown as its beginning.
fn timestamp(session: &Session, boot_ns: u64) -> Timestamp {
    Timestamp::from_nanosecond(session.wall_ns(boot_ns)).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SessionInfo;

    #[test]
    fn times_of_one_second_are_as_each_alone() {
        let session = Session::new(SessionInfo {
            boot_to_wall_ns: 1_763_700_000_999_999_990,
            ..SessionInfo::default()
        });
        let mut clock = Clock::default();
        for boot_ns in [0, 9, 10, 11, 1_000_000_009, 5, u64::MAX, 12, 1 << 62] {
            assert_eq!(clock.rfc3339(&session, boot_ns), rfc3339(&session, boot_ns));
        }
    }
}
