//! Why a request was refused, as far as that is known.
//!
//! The errno is the answer of one function for each sort of request, which tests in an
//! order: whether the sender may (EPERM), whether the request is well formed (EINVAL,
//! mostly with words), the interface (ENODEV), and last what is there already (EEXIST,
//! ENOENT, ESRCH, EADDRNOTAVAIL). What was read decides the first and the interface;
//! all else is likely only, and said to be from the errno or the kernel's words.

mod present;
mod way;

use super::{Cause, Deed, Entry, RequestRefused, What};
use crate::{
    catalogue::Severity,
    errno::Errno,
    event::Name,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, quoted},
    rtnetlink,
};

/// `CAP_NET_ADMIN`
const NET_ADMIN: u32 = 12;

/// Explains a request that was refused, unless `neighbour` has just done so.
pub(super) fn explain(refused: &RequestRefused, subject: Subject<'_>) -> Option<Diagnosis> {
    let story = Story { refused, subject };
    if refused.what == What::Way {
        return Some(story.way());
    }
    let is_told = subject.session.neighbours().has_told_of(subject.event);
    if refused.what == What::Neighbour && refused.errno == Errno::ENOBUFS && is_told {
        return None;
    }
    let mut verdict = story.verdict();
    if refused
        .asked
        .as_ref()
        .is_some_and(|asked| asked.may_be_ipv4)
    {
        verdict.why += "; it names no family, so it need not be about IPv6";
        verdict = verdict.notice();
    }
    let summary = format!("{} ({}): {}.", story.opening(), refused.errno, verdict.why);
    let told = story.told(Cause::Refused, summary, verdict);
    Some(if refused.is_held {
        told.held_back(refused.suppressed)
    } else {
        told
    })
}

/// A request with what it is explained by.
struct Story<'a> {
    refused: &'a RequestRefused,
    subject: Subject<'a>,
}

/// What is the matter, and what to do.
struct Verdict {
    why: String,
    is_certain: bool,
    is_notice: bool,
    fix: Vec<Fix>,
}

impl Verdict {
    fn likely(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_certain: false,
            is_notice: false,
            fix: Vec::new(),
        }
    }

    /// What was read decides.
    fn certain(self) -> Self {
        Self {
            is_certain: true,
            ..self
        }
    }

    /// Programs take this error for an answer.
    fn notice(self) -> Self {
        Self {
            is_notice: true,
            ..self
        }
    }

    fn fix(mut self, fix: Fix) -> Self {
        self.fix.push(fix);
        self
    }
}

impl Story<'_> {
    fn told(&self, cause: Cause, summary: String, verdict: Verdict) -> Diagnosis {
        let refused = self.refused;
        let asked = refused.asked.as_ref();
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, refused.operation(), summary)
            .with("request", asked.map(|asked| asked.words.as_str()))
            .with("extack", refused.said.as_deref())
            .with("attribute", refused.attribute.as_deref())
            .with("nlmsg_type", refused.message_type)
            .with("nlmsg_flags", refused.flags)
            .with("mtu", refused.mtu);
        if refused.suppressed > 0 {
            diagnosis = diagnosis.with("suppressed", refused.suppressed);
        }
        diagnosis.errno = Some(refused.errno);
        diagnosis.address = asked.and_then(|asked| asked.address);
        if !verdict.is_certain {
            diagnosis = diagnosis.likely();
        }
        if verdict.is_notice {
            diagnosis.severity = Severity::Notice;
        }
        verdict.fix.into_iter().fold(diagnosis, Diagnosis::fix)
    }

    /// "ip could not add rule from 2001:db8::/32 lookup 100"
    fn opening(&self) -> String {
        let refused = self.refused;
        let who = self.subject.who("the kernel");
        let what = refused.what.name();
        let words = refused.asked.as_ref().map(|asked| asked.words.as_str());
        match (refused.what, words) {
            (What::Settings, Some(words)) => format!("{who} could not set {words}"),
            (What::Settings, None) => format!("{who} could not set an interface up for IPv6"),
            (What::Other, _) => format!(
                "{who} was refused a request of type {}",
                refused.message_type
            ),
            (_, Some(words)) => format!("{who} could not {} {what} {words}", self.verb()),
            (_, None) => format!("{who} could not {} {}", self.verb(), article(what)),
        }
    }

    /// What was to be done, as `ip` calls it.
    fn verb(&self) -> &'static str {
        match self.refused.deed {
            Deed::Delete => "delete",
            Deed::Add | Deed::Get => rtnetlink::verb(self.refused.flags),
        }
    }

    fn verdict(&self) -> Verdict {
        let found = match self.refused.errno {
            Errno::EPERM => Some(self.not_permitted()),
            Errno::ENODEV if self.refused.device.is_absent() => Some(self.no_device()),
            _ => self.there_or_not().or_else(|| self.of_sort()),
        };
        found.unwrap_or_else(|| self.unexplained())
    }

    /// What the kernel says, and that no more is known.
    fn unexplained(&self) -> Verdict {
        let refused = self.refused;
        let at = refused
            .attribute
            .as_ref()
            .map_or_else(String::new, |attribute| format!(", of its {attribute}"));
        let verdict = match (&refused.said, refused.asked.is_some()) {
            (Some(said), _) => Verdict::likely(format!("the kernel says \"{said}\"{at}")),
            (None, false) => Verdict::likely("the request could not be read"),
            (None, true) if !at.is_empty() => Verdict::likely(format!(
                "the kernel points at a part{at}, and says no more than the errno"
            )),
            (None, true) => Verdict::likely(
                "the kernel says no more than the errno, and which of its tests failed is not known",
            ),
        };
        match refused.errno {
            Errno::EOPNOTSUPP | Errno::EBUSY | Errno::EAGAIN => verdict.notice(),
            _ => verdict,
        }
    }

    /// Only who may change the network's settings may ask for that.
    fn not_permitted(&self) -> Verdict {
        let refused = self.refused;
        let of = "in the user namespace that this network namespace belongs to";
        let has = refused
            .capabilities
            .map(|capabilities| capabilities & 1 << NET_ADMIN != 0);
        let verdict = match has {
            Some(true) => Verdict::likely(format!(
                "that takes CAP_NET_ADMIN {of}. The program has it: in another user namespace only \
                 (a container's), or its socket was opened by one that has it not"
            )),
            Some(false) => Verdict::likely(format!(
                "that takes CAP_NET_ADMIN {of}, and the program has not got that"
            ))
            .certain(),
            None => Verdict::likely(format!(
                "that takes CAP_NET_ADMIN {of}; whether the program has it could not be read"
            )),
        };
        let verdict = if has == Some(true) {
            verdict
        } else {
            verdict.fix(Fix::new(
                "run it as root, or give the service the capability: \
                 AmbientCapabilities=CAP_NET_ADMIN in its unit",
            ))
        };
        // systemd tries that first thing in each container, and goes on.
        let asks_for_loopback = refused.what == What::Address
            && refused
                .asked
                .as_ref()
                .is_some_and(|asked| asked.address.is_some_and(|address| address.is_loopback()));
        if asks_for_loopback {
            verdict.notice()
        } else {
            verdict
        }
    }

    fn no_device(&self) -> Verdict {
        let index = self.refused.ifindex.unwrap_or_default();
        let why = format!("no interface of this network namespace has index {index}");
        let verdict = Verdict::likely(why);
        // A request may name another namespace (IFLA_TARGET_NETNSID).
        let is_whole = self.refused.asked.as_ref().is_some_and(|it| it.is_whole);
        let verdict = if self.refused.what == What::Settings && !is_whole {
            verdict
        } else {
            verdict.certain()
        };
        if self.refused.deed == Deed::Delete {
            // It went with its interface.
            return verdict.notice();
        }
        verdict.fix(
            self.subject
                .command("ip link")
                .remark("the indexes there are; a link that comes back usually has a new one"),
        )
    }

    /// What one sort of request alone is refused for.
    fn of_sort(&self) -> Option<Verdict> {
        match self.refused.what {
            What::Neighbour => self.neighbour(),
            What::NextHop => self.next_hop(),
            What::Address if self.refused.errno == Errno::ENXIO => Some(
                Verdict::likely(format!(
                    "{} has no IPv6, by the errno, and so no address",
                    self.interface().unwrap_or("its interface")
                ))
                .notice(),
            ),
            _ => None,
        }
    }

    fn neighbour(&self) -> Option<Verdict> {
        let said = self.refused.said.as_deref().unwrap_or_default();
        let entry = self.refused.asked.as_ref().map(|asked| asked.entry);
        match (self.refused.errno, entry?) {
            (Errno::ENOBUFS, Entry::Ordinary) => Some(Verdict::likely(
                "most likely the neighbour table, which all network namespaces share, is full \
                 (net.ipv6.neigh.default.gc_thresh3)",
            )),
            (Errno::ENOBUFS, Entry::Proxy) => self.without_ipv6(),
            _ if said.starts_with("IPv6 is disabled on this device") => {
                self.without_ipv6().or_else(|| {
                    let interface = self.interface()?;
                    // Without its MTU it is not known which of the two it is.
                    self.refused.mtu?;
                    Some(self.switched_off(interface))
                })
            }
            _ => None,
        }
    }

    /// The interface's MTU is below what IPv6 needs.
    fn without_ipv6(&self) -> Option<Verdict> {
        let interface = self.interface()?;
        let mtu = self.refused.mtu.filter(|&mtu| mtu < IPV6_MIN_MTU)?;
        Some(
            Verdict::likely(format!(
                "{interface} has no IPv6: its MTU {mtu} is below the {IPV6_MIN_MTU} that IPv6 needs"
            ))
            .fix(self.subject.raise_mtu(interface)),
        )
    }

    fn switched_off(&self, interface: &str) -> Verdict {
        Verdict::likely(format!(
            "most likely IPv6 is switched off on {interface} (disable_ipv6)"
        ))
        .fix(
            self.subject
                .set(interface, "disable_ipv6", 0)
                .remark("brings fe80 back, and what routers advertise"),
        )
    }

    fn next_hop(&self) -> Option<Verdict> {
        let refused = self.refused;
        let said = refused.said.as_deref().unwrap_or_default();
        let gateway = refused.asked.as_ref().and_then(|asked| asked.gateway);
        if refused.errno == Errno::EHOSTUNREACH && said.is_empty() {
            let gateway = gateway?;
            return Some(Verdict::likely(format!(
                "its gateway {gateway} is not on the link of {}, as far as the kernel's routes say, \
                 by the errno",
                self.interface().unwrap_or("its interface")
            )));
        }
        let interface = self.interface()?;
        if said.starts_with("Nexthop device is not up") {
            let set = format!("ip link set dev {} up", quoted(interface));
            return Some(
                Verdict::likely(format!("{interface} is not up, the kernel says"))
                    .fix(self.subject.command(&set)),
            );
        }
        match refused.errno {
            Errno::ENODEV => self.without_ipv6(),
            Errno::EACCES => Some(self.switched_off(interface)),
            _ => None,
        }
    }

    /// The interface that the request names, where it names one that is there.
    fn interface(&self) -> Option<&str> {
        self.refused.device.found().map(Name::as_str)
    }

    /// A command of `ip` that asks for as much, where the words are all of it.
    fn command(&self, command: &str) -> Option<Fix> {
        let asked = self.refused.asked.as_ref().filter(|it| it.is_whole)?;
        // A name is needed for what the request has as a number.
        if self.refused.ifindex.is_some() {
            self.interface()?;
        }
        Some(self.subject.command(&format!("{command} {}", asked.words)))
    }
}

/// "an address"
fn article(what: &str) -> String {
    if what.starts_with('a') {
        format!("an {what}")
    } else {
        format!("a {what}")
    }
}
