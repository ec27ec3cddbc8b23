//! Programs that ask which way packets go (`ip route get`), and are told that there is
//! none. They ask on purpose: never more than a notice.

use super::{Story, Verdict};
use crate::{
    errno::Errno,
    explain::Diagnosis,
    families::{
        outgoing::{Reach, Way},
        request::Cause,
    },
};

/// `RT_TABLE_MAIN` and `RT_TABLE_LOCAL`, in which the kernel looks unless rules say
/// otherwise.
const MAIN: u32 = 254;
const LOCAL: u32 = 255;
/// `RTN_BLACKHOLE`, `RTN_UNREACHABLE` and `RTN_PROHIBIT`
const BLACKHOLE: u8 = 6;
const UNREACHABLE: u8 = 7;
const PROHIBIT: u8 = 8;

impl Story<'_> {
    pub(super) fn way(&self) -> Diagnosis {
        let refused = self.refused;
        let who = self.subject.who("the kernel");
        let words = refused.asked.as_ref().map(|asked| asked.words.as_str());
        let verdict = self.way_verdict();
        let summary = format!(
            "{who} asked for the way to {}, and there is none ({}): {}.",
            words.unwrap_or("somewhere"),
            refused.errno,
            verdict.why
        );
        let route = self.rejecting().map(words_of);
        self.told(Cause::WayRefused, summary, verdict)
            .with("route", route)
    }

    fn way_verdict(&self) -> Verdict {
        let (route, rule) = match self.refused.errno {
            Errno::ENODEV if self.refused.device.is_absent() => {
                return self.no_device().notice();
            }
            Errno::ENETUNREACH => {
                return Verdict::likely("no route leads there, by the errno").notice();
            }
            Errno::EINVAL => ("a blackhole route", "a rule of type blackhole"),
            Errno::EHOSTUNREACH => ("an unreachable route", "none"),
            Errno::EACCES => ("a prohibit route", "a rule of type prohibit"),
            _ => return self.unexplained().notice(),
        };
        let why = match self.rejecting() {
            Some(way) => format!("the route {} rejects it", words_of(way)),
            None if rule == "none" => {
                format!("{route} rejects it, by the errno; which, was not found")
            }
            None => format!("{route} or {rule} rejects it, by the errno; which, was not found"),
        };
        Verdict::likely(why).notice()
    }

    /// The route that rejects with that errno, the longest in the tables that the kernel
    /// looks into.
    fn rejecting(&self) -> Option<&Way> {
        let kind = match self.refused.errno {
            Errno::EINVAL => BLACKHOLE,
            Errno::EHOSTUNREACH => UNREACHABLE,
            Errno::EACCES => PROHIBIT,
            _ => return None,
        };
        let reach = self.subject.session.found::<Reach>().next()?;
        let mut ways = reach.ways.as_ref()?.iter();
        let first = ways.find(|way| [MAIN, LOCAL].contains(&way.table) && !way.of_sources)?;
        (first.kind == kind).then_some(first)
    }
}

/// "unreachable 2001:db8::/32"
fn words_of(way: &Way) -> String {
    let kind = match way.kind {
        BLACKHOLE => "blackhole",
        UNREACHABLE => "unreachable",
        _ => "prohibit",
    };
    format!("{kind} {}/{}", way.prefix, way.prefix_len)
}
