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

/// Gives many times in one display, to the millisecond: those of one second
/// differ only at the end.
#[derive(Debug)]
pub(super) struct TimeOfDay {
    display: TimeDisplay,
    /// The last second given, since 1970.
    second: Option<i64>,
    /// How it is written, with the dot behind it.
    text: String,
}

impl TimeOfDay {
    pub(super) fn new(display: TimeDisplay) -> Self {
        Self {
            display,
            second: None,
            text: String::new(),
        }
    }

    /// Appends a boot time.
    pub(super) fn push(&mut self, out: &mut String, session: &Session, boot_ns: u64) {
        let offset = match self.display {
            TimeDisplay::Local => session.info().utc_offset_s,
            TimeDisplay::Utc => 0,
            TimeDisplay::Relative => {
                push_since(out, session, boot_ns);
                return;
            }
        };
        let time = timestamp(session, boot_ns);
        let second = time.as_nanosecond().div_euclid(NANOSECONDS.into());
        let rest = time.as_nanosecond().rem_euclid(NANOSECONDS.into());
        let second = i64::try_from(second).ok();
        if second.is_none() || self.second != second {
            let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
            self.text = offset.to_datetime(time).strftime("%H:%M:%S.").to_string();
            self.second = second;
        }
        out.push_str(&self.text);
        push_milliseconds(out, rest.unsigned_abs() / 1_000_000);
    }
}

/// Seconds since the session began.
fn push_since(out: &mut String, session: &Session, boot_ns: u64) {
    let began = session.info().boot_ns;
    let ms = u128::from(boot_ns.abs_diff(began) / 1_000_000);
    out.push(if boot_ns < began { '-' } else { '+' });
    // Memory takes whatever is written.
    let _ = write!(out, "{}.", ms / 1000);
    push_milliseconds(out, ms % 1000);
}

/// Three digits.
fn push_milliseconds(out: &mut String, ms: u128) {
    let _ = write!(out, "{ms:03}");
}

/// A boot time as date and local time there, with what that is ahead of UTC.
pub fn date(session: &Session, boot_ns: u64) -> String {
    let offset = Offset::from_seconds(session.info().utc_offset_s).unwrap_or(Offset::UTC);
    let local = offset.to_datetime(timestamp(session, boot_ns));
    format!("{} UTC{offset}", local.strftime("%Y-%m-%d %H:%M:%S.%3f"))
}

/// A boot time as local time there, to the millisecond.
pub(crate) fn milliseconds(session: &Session, boot_ns: u64) -> String {
    let mut text = String::new();
    TimeOfDay::new(TimeDisplay::Local).push(&mut text, session, boot_ns);
    text
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
