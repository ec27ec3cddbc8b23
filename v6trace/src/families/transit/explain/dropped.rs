//! A packet was dropped, and its sender was to be told by an ICMPv6 error (`icmp6_send`).
//! Whether that went out is seen, and so is whether the kernel found a way for it: the errno
//! of its lookup decides. That is the lookup of a packet of this host's own, and says nothing
//! of what it passes on: that may go by another VRF, or by rules. Where it did not come to
//! that, only the rate limit is known to be a reason, and what was dropped must be a packet
//! that errors are sent for.

use v6trace_common::families::{
    outgoing,
    transit::{ERROR_ROUTE, ERROR_SENT},
};

use super::super::{Cause, Outcome, Packet, PacketDropped};
use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, Subject, quoted},
};

/// ICMPv6 types of the errors that are told of.
const UNREACHABLE: u32 = 1;
const TOO_BIG: u32 = 2;
const TIME_EXCEEDED: u32 = 3;
/// `IPPROTO_ICMPV6`, and where the types of messages begin that are no errors.
const ICMPV6: u32 = 58;
const INFORMATIONAL: i32 = 128;
/// Headers of IPv6 that others follow: the kernel looks for an error behind these.
const EXTENSIONS: [u32; 5] = [0, 43, 44, 51, 60];

/// Explains it, where what was seen decides.
pub(in super::super) fn explain(
    dropped: &PacketDropped,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let story = Story { dropped, subject };
    let is_seen = story.is_seen();
    let mut diagnosis = match (dropped.message_type, dropped.outcome) {
        (TIME_EXCEEDED, Outcome::NotRouted(errno)) if is_seen => story.no_way_back(errno),
        (TIME_EXCEEDED, _) => story.hop_limit(),
        // It is not this packet that was too big.
        (TOO_BIG, _) if dropped.packet.length <= dropped.mtu => return None,
        (TOO_BIG, Outcome::NotRouted(errno)) if is_seen => story.untold(errno),
        (TOO_BIG, Outcome::NotLookedUp) if is_seen && dropped.is_held_back() => story.held_back(),
        (UNREACHABLE, Outcome::NotRouted(errno)) if is_seen => story.no_way_back(errno),
        _ => return None,
    };
    diagnosis.task = None;
    diagnosis.address = Some(dropped.packet.source.into());
    Some(diagnosis)
}

impl PacketDropped {
    /// Whether nothing but the rate limit can have held the error back.
    fn is_held_back(&self) -> bool {
        let may_be_error = match self.packet.next_header {
            ICMPV6 => self.inner_type.is_none_or(|kind| kind < INFORMATIONAL),
            header => EXTENSIONS.contains(&header),
        };
        self.is_limited == Some(true) && !may_be_error && !self.packet.source.is_multicast()
    }
}

struct Story<'a> {
    dropped: &'a PacketDropped,
    subject: Subject<'a>,
}

impl Story<'_> {
    /// Whether all was watched that what became of the error is concluded from.
    fn is_seen(&self) -> bool {
        let coverage = &self.subject.session.info().coverage;
        let is_limit_seen =
            self.dropped.outcome != Outcome::NotLookedUp || coverage.has(outgoing::ROUTE);
        is_limit_seen && coverage.has(ERROR_SENT) && coverage.has(ERROR_ROUTE)
    }

    fn told(&self, cause: Cause, summary: String) -> Diagnosis {
        let dropped = self.dropped;
        let errno = match dropped.outcome {
            Outcome::NotRouted(errno) => Some(errno),
            _ => None,
        };
        let operation = "packet-forwarding";
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, operation, summary)
            .with("destination", dropped.packet.destination.to_string())
            .with("mac", dropped.packet.mac.map(|mac| mac.to_string()))
            .with(
                "out_interface",
                dropped
                    .packet
                    .out_interface
                    .as_ref()
                    .map(ToString::to_string),
            )
            .with(
                "gateway",
                dropped.packet.gateway.map(|gateway| gateway.to_string()),
            )
            .with("icmpv6_type", dropped.message_type)
            .with("icmpv6_code", dropped.code)
            .with("told", self.is_seen().then(|| dropped.outcome.name()))
            .with("length", dropped.packet.length)
            .with(
                "mtu",
                (dropped.message_type == TOO_BIG).then_some(dropped.mtu),
            )
            .with("hop_limit", dropped.packet.hop_limit)
            .with("next_header", dropped.packet.next_header)
            .with("suppressed", dropped.suppressed);
        diagnosis.errno = errno;
        diagnosis
    }

    /// "A packet from fd00::2 to fd01::9 came in on eth0, from 02:…,"
    fn opening(&self) -> String {
        let Packet {
            source,
            destination,
            interface,
            mac,
            ..
        } = &self.dropped.packet;
        let sender = mac.map_or_else(String::new, |mac| format!(", from {mac}"));
        format!("A packet from {source} to {destination} came in on {interface}{sender}")
    }

    /// " by eth1, to fe80::1"
    fn onward(&self) -> String {
        let out = self.dropped.packet.out_interface.as_ref();
        let by = out.map_or_else(String::new, |out| format!(" by {out}"));
        let to = self.dropped.packet.gateway;
        to.map_or(by.clone(), |gateway| format!("{by}, to {gateway}"))
    }

    /// Why there is no way to the sender.
    fn reason(&self, errno: Errno) -> String {
        let source = self.dropped.packet.source;
        match errno {
            Errno::ENETUNREACH => format!("this host finds no route for what it sends to {source}"),
            Errno::EADDRNOTAVAIL => {
                format!("this host finds no address that it could send to {source} from")
            }
            Errno::EACCES | Errno::EHOSTUNREACH | Errno::EINVAL => format!(
                "a route or a rule of this host's rejects or throws away what it sends to {source}"
            ),
            _ => format!("this host finds no way for what it sends to {source}"),
        }
    }

    /// What is too big.
    fn too_big(&self) -> String {
        let (length, mtu) = (self.dropped.packet.length, self.dropped.mtu);
        format!(
            "{}, and was to go on{}. It has {length} bytes, and there fit {mtu}: the kernel \
             dropped it",
            self.opening(),
            self.onward(),
        )
    }

    fn untold(&self, errno: Errno) -> Diagnosis {
        let summary = format!(
            "{}. Its sender was to learn that by an ICMPv6 error (packet too big), which did not \
             leave: {} ({errno}). So it goes on to send packets of that size, and all are lost.",
            self.too_big(),
            self.reason(errno),
        );
        let diagnosis = self.told(Cause::TooBigUntold, summary);
        self.back(errno).into_iter().fold(diagnosis, Diagnosis::fix)
    }

    /// The default exempts these errors.
    fn held_back(&self) -> Diagnosis {
        let summary = format!(
            "{}. Its sender was to learn that by an ICMPv6 error (packet too big), which was held \
             back, most likely by the rate limit: net.ipv6.icmp.ratemask has these errors in it \
             as well. What it is not told of it sends again as it was.",
            self.too_big(),
        );
        self.told(Cause::TooBigUntold, summary)
            .with("ratemask_has_it", true)
            .likely()
            .fix(
                Fix::new("set net.ipv6.icmp.ratemask to what it is now, without 2")
                    .remark("names what has a limit; from the start it is 0-1,3-127"),
            )
    }

    fn hop_limit(&self) -> Diagnosis {
        let packet = &self.dropped.packet;
        let round = if packet.leads_back() {
            format!(
                " Its way leads back to the link of {}: where the routers there send it to each \
                 other, it goes round until its hop limit runs out.",
                packet.interface
            )
        } else {
            String::new()
        };
        let summary = format!(
            "{}, and was to go on{}, but its hop limit is {}: the kernel dropped it. That is how \
             traceroute asks each router who it is; else it has come a long way, or goes round \
             between routers.{round}",
            self.opening(),
            self.onward(),
            packet.hop_limit,
        );
        self.told(Cause::HopLimitExceeded, summary)
    }

    /// What this host drops is the lesser matter.
    fn no_way_back(&self, errno: Errno) -> Diagnosis {
        // Routes and filters send the same codes.
        let error = match (self.dropped.message_type, self.dropped.code) {
            (TIME_EXCEEDED, _) => "hop limit exceeded".to_owned(),
            (_, 0) => "no route to destination".to_owned(),
            (_, 1) => "administratively prohibited".to_owned(),
            (_, 3) => "address unreachable".to_owned(),
            (_, code) => format!("destination unreachable, code {code}"),
        };
        let summary = format!(
            "{}, and was dropped. Its sender was to learn that by an ICMPv6 error ({error}), which \
             did not leave: {} ({errno}).",
            self.opening(),
            self.reason(errno),
        );
        let diagnosis = self.told(Cause::NoWayBack, summary);
        self.back(errno).into_iter().fold(diagnosis, Diagnosis::fix)
    }

    /// A way to the sender, where none is found.
    fn back(&self, errno: Errno) -> Option<Fix> {
        let Packet {
            source, interface, ..
        } = &self.dropped.packet;
        let add = format!("ip -6 route add {source}/128 dev {}", quoted(interface));
        (errno == Errno::ENETUNREACH).then(|| {
            self.subject.command(&add).remark(
                "if the sender is on that link; else its prefix, via the router that it is behind; \
                 with VRFs or rules (`ip -6 rule`) into the table of what this host sends itself",
            )
        })
    }
}
