//! Why a socket found no way out, or one that is of no use.
//!
//! What gave the errno was read in the kernel: the route that rejects, the entry
//! that stands for none, or the choice of a source. What there is beside that, and
//! so how to mend it, userspace looked up a moment later.

mod route;
mod scope;
mod source;

use std::net::{IpAddr, Ipv6Addr};

use super::{
    Asked, Cause, Operation, Outcome, OutgoingLookup, Own, Reach, Rejected, reach::is_global,
};
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, Value, advice, quoted},
    families::device::{Device, Interface},
};

pub(super) use scope::scope_missing;

/// What a reader puts in for an address of theirs.
const ADDRESS: &str = "ADDRESS";

/// Explains a lookup.
pub(super) fn explain(lookup: &OutgoingLookup, subject: Subject<'_>) -> Diagnosis {
    let story = Story::new(lookup, subject);
    match &lookup.outcome {
        Outcome::Leaves {
            interface, gateway, ..
        } => story.unanswerable(interface, *gateway),
        Outcome::Failed { errno, by } => story.failed(*errno, by),
    }
}

/// A lookup with what it is explained by.
struct Story<'a> {
    lookup: &'a OutgoingLookup,
    subject: Subject<'a>,
    reach: Option<&'a Reach>,
}

impl<'a> Story<'a> {
    fn new(lookup: &'a OutgoingLookup, subject: Subject<'a>) -> Self {
        Self {
            lookup,
            subject,
            reach: reach(subject, lookup.destination),
        }
    }

    /// By what gave the errno, in the kernel's order.
    fn failed(&self, errno: Errno, by: &Rejected) -> Diagnosis {
        let diagnosis = match (by, errno) {
            (Rejected::Route(route), _) => self.route_rejects(route),
            (Rejected::Rule, _) => self.rule_rejects(),
            _ if !matches!(errno, Errno::ENETUNREACH | Errno::EADDRNOTAVAIL) => self.unexplained(),
            // Where it has no IPv6, no route leaves by it and no address is its own; but
            // a VRF's are those of its interfaces.
            _ => match self
                .lookup
                .asked
                .as_ref()
                .filter(|asked| self.lookup.l3mdev != Some(asked.ifindex))
                .map(|asked| (asked, &asked.device))
            {
                Some((asked, Device::Absent)) => self.absent(asked),
                Some((
                    _,
                    Device::Found(Interface {
                        name,
                        disable_ipv6: Some(value @ 1..),
                        ..
                    }),
                )) => self.disabled(name, *value),
                Some((
                    _,
                    Device::Found(Interface {
                        name,
                        has_ipv6: Some(false),
                        mtu,
                        ..
                    }),
                )) => self.off(name, *mtu),
                _ if errno == Errno::EADDRNOTAVAIL => self.no_source(),
                _ if *by == Rejected::NoRoute => self.no_route(),
                _ => self.unexplained(),
            },
        };
        let mut diagnosis = self.finish(diagnosis);
        if *by == Rejected::Unknown && errno == Errno::ENETUNREACH {
            diagnosis = diagnosis.likely();
        }
        diagnosis.errno = Some(errno);
        if diagnosis.severity == Severity::Failure && self.is_answer() {
            diagnosis.severity = Severity::Notice;
            diagnosis.summary += self.answer();
        }
        diagnosis
    }

    /// What all diagnoses have.
    fn finish(&self, diagnosis: Diagnosis) -> Diagnosis {
        let lookup = self.lookup;
        let mut diagnosis = diagnosis
            .with("destination", lookup.destination.to_string())
            .with("port", lookup.port)
            .with("protocol", lookup.protocol)
            .with("source", lookup.source.map(|source| source.to_string()))
            .with("oif", lookup.asked.as_ref().map(|asked| asked.ifindex))
            .with("l3mdev", lookup.l3mdev)
            .with("mark", lookup.mark)
            .with("suppressed", lookup.suppressed);
        diagnosis.address = Some(IpAddr::V6(lookup.destination));
        diagnosis
    }

    /// Whether nobody can have expected anything else, or the program most likely
    /// takes it for an answer.
    fn is_answer(&self) -> bool {
        let lookup = self.lookup;
        lookup.sends_nothing() || self.is_beyond_reach() || lookup.destination.is_multicast()
    }

    /// Whether it goes where this host has no address for: to a global destination,
    /// and neither the best source is global nor is any other. A program may have
    /// chosen the source itself, and the kernel may pass over a deprecated one.
    fn is_beyond_reach(&self) -> bool {
        let lookup = self.lookup;
        let may_be_source = |own: &Own| is_global(own.address) && source::is_usable(own);
        is_global(lookup.destination)
            && !lookup.source.is_some_and(is_global)
            && !self.own().any(may_be_source)
    }

    fn answer(&self) -> &'static str {
        let lookup = self.lookup;
        if self.is_beyond_reach() && self.reach.is_some() {
            " This host has no IPv6 address for destinations beyond it: programs take that for an \
             answer and go on with IPv4."
        } else if self.is_beyond_reach() {
            " The best source was none that is routed there: programs mostly take that for an \
             answer and go on with IPv4."
        } else if lookup.sends_nothing() {
            SENDS_NOTHING
        } else {
            " Other interfaces may have got it."
        }
    }

    /// A diagnosis that begins with what failed.
    fn told(&self, cause: Cause, why: &str) -> Diagnosis {
        let errno = self.lookup.errno();
        let errno = errno.map_or_else(String::new, |errno| format!(" ({errno})"));
        let who = self.subject.who("a process");
        let what = match self.lookup.operation {
            Operation::Connect => "could not connect to",
            Operation::Send => "could not send to",
        };
        let summary = format!("{who} {what} {}{errno}: {why}", self.there());
        self.diagnosis(cause, summary)
    }

    fn diagnosis(&self, cause: Cause, summary: String) -> Diagnosis {
        Diagnosis::new(
            self.subject.event,
            cause,
            self.lookup.operation.name(),
            summary,
        )
    }

    fn there(&self) -> String {
        there(self.lookup.destination, self.lookup.port)
    }

    /// The interface that was asked for, where its name is known.
    fn asked_name(&self) -> Option<&'a str> {
        self.lookup.asked.as_ref()?.device.name()
    }

    /// ", by way of eth0", where one was asked for.
    fn by_way(&self) -> String {
        match (&self.lookup.asked, self.asked_name()) {
            (None, _) => String::new(),
            (Some(_), Some(name)) => format!(" by way of {name}"),
            (Some(asked), None) => format!(" by way of interface {}", asked.ifindex),
        }
    }

    fn absent(&self, asked: &Asked) -> Diagnosis {
        let ifindex = asked.ifindex;
        let mut diagnosis = self
            .told(
                Cause::NoSuchDevice,
                &format!(
                    "it asked for interface {ifindex}, and none of this network namespace has that \
                     index. It may have been removed, or be in another namespace; one that comes \
                     back usually has a new index, of which the socket does not know."
                ),
            )
            .fix(
                self.subject
                    .command("ip link")
                    .remark("the indexes there are; then start the program again"),
            );
        diagnosis.ifindex = Some(ifindex);
        diagnosis
    }

    fn disabled(&self, name: &str, value: i32) -> Diagnosis {
        self.told(
            Cause::Ipv6Off,
            &format!(
                "it is to leave by {name}, and IPv6 is switched off there (disable_ipv6 = {value})."
            ),
        )
        .with("disable_ipv6", value)
        .with("all_disable_ipv6", self.lookup.all_disable_ipv6)
        .fix(
            self.subject
                .set(name, "disable_ipv6", 0)
                .remark("fe80:: and what routers advertise come back by themselves, nothing else"),
        )
    }

    fn off(&self, name: &str, mtu: Option<u32>) -> Diagnosis {
        let Some(mtu) = mtu.filter(|&mtu| mtu < IPV6_MIN_MTU) else {
            return self
                .told(
                    Cause::Ipv6Off,
                    &format!("it is to leave by {name}, which has no IPv6."),
                )
                .with("mtu", mtu)
                .with("ip6_ptr", 0);
        };
        self.told(
            Cause::Ipv6Off,
            &format!(
                "it is to leave by {name}, which has no IPv6: its MTU {mtu} is below the \
                 {IPV6_MIN_MTU} that IPv6 needs."
            ),
        )
        .with("mtu", mtu)
        .with("ip6_ptr", 0)
        .fix(self.subject.raise_mtu(name))
        .fix(advice::raise_lower_mtu())
    }

    fn unexplained(&self) -> Diagnosis {
        let why = match self.lookup.errno() {
            Some(Errno::EAFNOSUPPORT) => {
                "the source is an IPv4 address (::ffff:0:0/96), and the destination is none."
            }
            _ => {
                "neither a route nor a rule that rejects was seen, nor a missing source. An IPsec \
                 policy (`ip xfrm policy`), a cgroup's program or a security module may refuse as \
                 well."
            }
        };
        self.told(Cause::Unexplained, why).likely()
    }

    /// The addresses that there are, but for the loopback's.
    fn own(&self) -> impl Iterator<Item = &'a Own> {
        own(self.reach)
    }

    /// Adding an address to an interface.
    fn add_address(&self, interface: &str) -> Fix {
        let interface = quoted(interface);
        self.subject
            .command(&format!("ip -6 address add {ADDRESS}/64 dev {interface}"))
    }
}

/// What was looked up of the way to an address.
fn reach(subject: Subject<'_>, destination: Ipv6Addr) -> Option<&Reach> {
    let mut found = subject.session.found::<Reach>();
    found.find(|found| {
        (found.netns, found.destination) == (subject.event.netns, destination)
            && found.boot_ns >= subject.event.boot_ns
    })
}

/// The addresses in it, but for the loopback's.
fn own(reach: Option<&Reach>) -> impl Iterator<Item = &Own> {
    let all = reach.into_iter().flat_map(|reach| &reach.addresses);
    all.filter(|own| !own.address.is_loopback())
}

/// "2001:db8::7 port 443"
fn there(destination: Ipv6Addr, port: Option<u32>) -> String {
    match port {
        Some(port) if port != 0 => format!("{destination} port {port}"),
        _ => destination.to_string(),
    }
}

/// What follows where a program connects a datagram socket in vain.
const SENDS_NOTHING: &str = " Connecting a datagram socket sends nothing: programs may do so only \
                             to learn which of several addresses they can reach, and take the \
                             error for an answer.";

/// Values in words.
fn list(words: Vec<String>) -> Value {
    Value::List(words.into_iter().map(Value::from).collect())
}
