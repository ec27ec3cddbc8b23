//! Programs that ask which way packets go (`ip route get`), and are told that there is
//! none. They ask on purpose: never more than a notice.
//!
//! Which route rejects is not looked up: rules, marks and interfaces decide where the
//! kernel looks, and a router's routes are very many.

use super::{Story, Verdict};
use crate::{errno::Errno, explain::Diagnosis, families::request::Cause};

impl Story<'_> {
    pub(super) fn way(&self) -> Diagnosis {
        let refused = self.refused;
        let who = self.subject.who("the kernel");
        let words = refused.asked.as_ref().map(|asked| asked.words.as_str());
        let to = words.unwrap_or("somewhere");
        let errno = refused.errno;
        let (opening, verdict) = match self.no_way() {
            Some(verdict) => ("and there is none", verdict),
            None => ("and was not answered", self.unexplained()),
        };
        let summary = format!(
            "{who} asked for the way to {to}, {opening} ({errno}): {}.",
            verdict.why
        );
        self.told(Cause::WayRefused, summary, verdict.notice())
    }

    /// Why there is none; `None` where that is not why the kernel did not say.
    fn no_way(&self) -> Option<Verdict> {
        let refused = self.refused;
        // Of a way that is not there the kernel says no more than the errno.
        if refused.said.is_some() || refused.attribute.is_some() {
            return None;
        }
        if refused.device.is_absent() && matches!(refused.errno, Errno::ENODEV | Errno::ENETUNREACH)
        {
            let index = refused.ifindex.unwrap_or_default();
            let why = format!("no interface of this network namespace has index {index}");
            return Some(Verdict::likely(why));
        }
        let why = match refused.errno {
            Errno::ENETUNREACH => {
                "no route leads there, or a route or rule of type unreachable rejects it"
            }
            Errno::EHOSTUNREACH => "a route of type unreachable rejects it",
            Errno::EACCES => "a route or rule of type prohibit rejects it",
            // Without words read, it may be the request itself.
            Errno::EINVAL if refused.said_read => "a route or rule of type blackhole rejects it",
            _ => return None,
        };
        let verdict = Verdict::likely(format!("{why}, by the errno"));
        Some(
            verdict
                .fix(
                    self.subject
                        .command("ip -6 route show table all")
                        .remark("the routes there are"),
                )
                .fix(
                    self.subject
                        .command("ip -6 rule")
                        .remark("the rules there are"),
                ),
        )
    }
}
