//! Why the kernel refused a route.
//!
//! What gives an errno is tested in the kernel's order: the nexthop object, then for
//! each next hop the interface (ENODEV, `fib6_nh_init`), the gateway (EINVAL,
//! EHOSTUNREACH; `ip6_validate_gw`), the interface again (EACCES, ENETDOWN), then the
//! source (EINVAL), and last what is there already (EEXIST, ENOENT, ESRCH). EINVAL has
//! many reasons, and the kernel says in words which it was; where these could not be
//! read, what was asked for is looked at instead, and that is likely only.

mod gateway;
mod gone;
mod interface;
mod present;
mod source;
mod way;

use std::net::IpAddr;

pub(super) use gone::gone;

use super::{Cause, Hop, Operation, Paths, Request, RouteRefused};
use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, Subject},
    rtnetlink,
};

/// Explains a request that was refused.
pub(super) fn explain(refused: &RouteRefused, subject: Subject<'_>) -> Option<Diagnosis> {
    let story = Story {
        refused,
        subject,
        request: refused.request.as_ref(),
        paths: subject.session.found::<Paths>().next(),
    };
    let cause = story.cause();
    let is_ipv4 = story.request.is_some_and(Request::is_ipv4);
    // What IPv4 itself refuses is not looked into here. Of a route with IPv6 gateways alone
    // it is told at least what was asked for.
    let is_unexplained = matches!(cause, Cause::Unexplained);
    if is_ipv4 && (!story.has_ipv6_gateway() || is_unexplained && story.has_ipv4_gateway()) {
        return None;
    }
    let mut diagnosis = story.because(cause);
    diagnosis = diagnosis
        .with("request", story.request.map(|request| story.words(request)))
        .with("extack", refused.said.as_deref());
    if refused.suppressed > 0 {
        diagnosis = diagnosis.with("suppressed", refused.suppressed);
    }
    if refused.is_held {
        diagnosis = diagnosis.held_back(refused.suppressed);
    }
    diagnosis.errno = Some(refused.errno);
    if diagnosis.address.is_none() {
        diagnosis.address = story.request.map(|request| request.destination);
    }
    Some(diagnosis)
}

/// A request with what it is explained by.
struct Story<'a> {
    refused: &'a RouteRefused,
    subject: Subject<'a>,
    request: Option<&'a Request>,
    paths: Option<&'a Paths>,
}

/// What the kernel says of a gateway that is not taken for a neighbour.
pub(super) const INVALID_GATEWAY: &str = "Nexthop has invalid gateway";

/// What the kernel says of each cause that gives EINVAL.
const SAID: &[(&str, Cause)] = &[
    ("Gateway can not be a local address", Cause::OwnGateway),
    ("Invalid gateway address", Cause::GatewayInvalid),
    (
        "Egress device not specified",
        Cause::GatewayWithoutInterface,
    ),
    ("Egress device can not be loopback", Cause::ByLoopback),
    (
        // Before 7.2 "… or device mismatch".
        INVALID_GATEWAY,
        Cause::OnlinkMismatch,
    ),
    ("Nexthop id does not exist", Cause::NexthopObject),
    ("Nexthop has been deleted", Cause::NexthopObject),
    (
        "IPv6 routes can not use an IPv4 nexthop",
        Cause::NexthopObject,
    ),
    ("Route cannot point to a fdb nexthop", Cause::NexthopObject),
];
/// The same, where it says no more: there are other words that begin like these.
const SAID_WHOLE: (&str, Cause) = ("Invalid source address", Cause::SourceNotLocal);

impl Story<'_> {
    fn cause(&self) -> Cause {
        // By EINVAL or ENOENT, as kernels have it.
        if self.said() == Some(Cause::NexthopObject) {
            return Cause::NexthopObject;
        }
        match self.refused.errno {
            Errno::EHOSTUNREACH if self.has_ipv6_gateway() || self.has_more_hops() => {
                Cause::NotOnLink
            }
            Errno::ENODEV => self.without_device(),
            Errno::EACCES if self.is_disabled() => Cause::Ipv6Disabled,
            Errno::ENETDOWN => Cause::InterfaceDown,
            Errno::EEXIST => Cause::Exists,
            // ENOENT: it went between being found and being taken away.
            Errno::ESRCH | Errno::ENOENT if self.refused.operation == Operation::Delete => {
                Cause::Absent
            }
            Errno::ENOENT if self.verb() == "change" => Cause::Absent,
            Errno::EAFNOSUPPORT if self.request.is_some_and(Request::is_ipv4) => Cause::Ipv6Off,
            Errno::EINVAL => self.invalid(),
            _ => Cause::Unexplained,
        }
    }

    /// What the kernel's words stand for.
    fn said(&self) -> Option<Cause> {
        let said = self.refused.said.as_deref()?;
        if said == SAID_WHOLE.0 {
            return Some(SAID_WHOLE.1);
        }
        let found = SAID.iter().find(|(words, _)| said.starts_with(words));
        found.map(|(_, cause)| *cause)
    }

    /// Which of the many reasons of EINVAL it was.
    fn invalid(&self) -> Cause {
        if self.refused.said.is_some() {
            return match self.said() {
                // IPv4 has the same words for a gateway of its own.
                Some(Cause::OnlinkMismatch) if self.has_ipv4_gateway() => Cause::Unexplained,
                said => said.unwrap_or(Cause::Unexplained),
            };
        }
        // Without words, where there would be some, it is another reason.
        if self.refused.said_read {
            return Cause::Unexplained;
        }
        let hops = self.request.map_or(&[][..], |request| &request.hops);
        if hops.iter().any(|hop| self.own(hop).is_some()) {
            Cause::OwnGateway
        } else if hops.iter().any(gateway::is_invalid) {
            Cause::GatewayInvalid
        } else if hops.iter().any(gateway::needs_interface) {
            Cause::GatewayWithoutInterface
        } else if self.source_is_not_own() {
            Cause::SourceNotLocal
        } else {
            Cause::Unexplained
        }
    }

    fn because(&self, cause: Cause) -> Diagnosis {
        let diagnosis = match cause {
            Cause::NotOnLink => self.not_on_link(),
            Cause::OwnGateway => self.own_gateway(),
            Cause::GatewayWithoutInterface => self.gateway_without_interface(),
            Cause::GatewayInvalid => self.gateway_invalid(),
            Cause::ByLoopback => self.by_loopback(),
            Cause::OnlinkMismatch => self.onlink_mismatch(),
            Cause::SourceNotLocal => self.source_not_local(),
            Cause::NoSuchDevice => self.no_such_device(),
            Cause::Ipv6OffMtu => self.off_mtu(),
            Cause::Ipv6Disabled => self.disabled(),
            Cause::InterfaceDown => self.down(),
            Cause::Exists => self.exists(),
            Cause::Absent => self.absent(),
            Cause::NexthopObject => self.nexthop_object(),
            Cause::Ipv6Off => self.ipv6_off(),
            // A request is for none of what the kernel does by itself.
            Cause::Expired
            | Cause::Withdrawn
            | Cause::WithNexthop
            | Cause::SourceLost
            | Cause::HopLost
            | Cause::Unexplained => self.unexplained(),
        };
        let by_words = matches!(self.refused.errno, Errno::EINVAL);
        if by_words && !self.refused.said_read {
            diagnosis.likely()
        } else {
            diagnosis
        }
    }

    fn unexplained(&self) -> Diagnosis {
        let why = match (&self.refused.said, self.request) {
            (Some(said), _) => format!("the kernel says \"{said}\""),
            (None, None) => "the request could not be read".to_owned(),
            (None, Some(_)) => {
                "none of the conditions that give this errno was found to hold, and the kernel \
                 says nothing"
                    .to_owned()
            }
        };
        self.told(Cause::Unexplained, &why).likely()
    }

    /// A diagnosis that begins with what failed.
    fn told(&self, cause: Cause, why: &str) -> Diagnosis {
        let summary = format!("{} ({}): {why}.", self.opening(), self.refused.errno);
        let operation = self.refused.operation.name();
        Diagnosis::new(self.subject.event, cause, operation, summary)
    }

    /// "ip could not add route 2001:db8::/32 via fe80::1 dev eth0"
    fn opening(&self) -> String {
        let who = self.subject.who("the kernel");
        let verb = match self.verb() {
            "del" => "delete",
            verb => verb,
        };
        match self.request {
            Some(request) => format!("{who} could not {verb} route {}", self.words(request)),
            None => format!("{who} could not {verb} a route"),
        }
    }

    /// What was to be done, as `ip route` calls it.
    fn verb(&self) -> &'static str {
        match self.refused.operation {
            Operation::Delete => "del",
            Operation::Add => rtnetlink::verb(self.refused.flags),
        }
    }

    fn words(&self, request: &Request) -> String {
        request.words(&|ifindex| self.name(ifindex))
    }

    /// The name of an interface that is asked for.
    fn name(&self, ifindex: u32) -> Option<String> {
        if let Some(name) = self.interface()
            && self.refused.ifindex == Some(ifindex)
        {
            return Some(name.to_owned());
        }
        self.paths?.name(ifindex).map(str::to_owned)
    }

    /// The interface that the request names, where it names one that is there.
    fn interface(&self) -> Option<&str> {
        self.refused.device.name()
    }

    fn has_ipv6_gateway(&self) -> bool {
        let hops = self.request.map_or(&[][..], |request| &request.hops);
        hops.iter().any(|hop| hop.gateway6().is_some())
    }

    /// Whether one of the gateways is of IPv4, or may be.
    fn has_ipv4_gateway(&self) -> bool {
        let Some(request) = self.request.filter(|request| request.is_ipv4()) else {
            return false;
        };
        request.more_hops || request.hops.iter().any(|hop| hop.gateway6().is_none())
    }

    /// Whether there are next hops that were not read.
    fn has_more_hops(&self) -> bool {
        self.request.is_some_and(|request| request.more_hops)
    }

    /// The same request by another next hop, as a command of `ip`.
    fn again(&self, hop: &Hop) -> Option<String> {
        let request = self.request?;
        let words = request.by(hop, &|ifindex| self.name(ifindex))?;
        Some(self.command(request, &words))
    }

    /// The same by an interface of that name, which need not be the one asked for.
    fn again_by(&self, hop: &Hop, interface: &str) -> Option<String> {
        let request = self.request?;
        let by = Hop {
            ifindex: Some(0),
            ..*hop
        };
        let words = request.by(&by, &|_| Some(interface.to_owned()))?;
        Some(self.command(request, &words))
    }

    fn command(&self, request: &Request, words: &str) -> String {
        let ip = request.ip();
        self.subject
            .in_netns(&format!("{ip} route {} {words}", self.verb()))
    }

    /// The same request, to be sent once more after something else was mended.
    fn once_more(&self, diagnosis: Diagnosis) -> Diagnosis {
        self.once_more_as("once more", diagnosis)
    }

    /// The same where the interface lost its addresses: a gateway that is not link-local
    /// needs one.
    fn once_more_with_prefix(&self, diagnosis: Diagnosis) -> Diagnosis {
        let hop = self.request.and_then(Request::only_hop);
        let gateway = hop.filter(|hop| !hop.onlink).and_then(Hop::gateway6);
        let remark = if gateway.is_some_and(|it| !it.is_unicast_link_local()) {
            "once more, when an address of the interface has the gateway in its prefix again"
        } else {
            "once more"
        };
        self.once_more_as(remark, diagnosis)
    }

    fn once_more_as(&self, remark: &'static str, diagnosis: Diagnosis) -> Diagnosis {
        let again = self
            .request
            .and_then(Request::only_hop)
            .and_then(|hop| self.again(hop));
        match again {
            Some(again) => diagnosis.fix(Fix::new(again).remark(remark)),
            None => diagnosis,
        }
    }
}

/// With the gateway as the address concerned.
fn about(mut diagnosis: Diagnosis, gateway: Option<IpAddr>) -> Diagnosis {
    diagnosis.address = gateway;
    diagnosis
}
