//! A neighbour that got no entry, one that did not answer, and a proxy that may not.

use std::net::{IpAddr, Ipv6Addr};

use v6trace_common::families::neighbour as wire;

use crate::{
    errno::Errno,
    event::{Name, name},
    families::Decode,
    frame::Mac,
};

/// `NTF_ROUTER`
const ROUTER: u32 = 0x80;
/// The flag S of a neighbour advertisement.
const SOLICITED: u8 = 0x40;

/// A neighbour for which the table had no room.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourTableFull {
    /// Its address.
    pub address: Ipv6Addr,
    /// The interface that it is on.
    pub interface: Name,
    /// The index of that.
    pub ifindex: u32,
    /// What the caller got.
    pub errno: Errno,
    /// Entries that count.
    pub entries: u32,
    /// `gc_thresh1`, `gc_thresh2` and `gc_thresh3`.
    pub thresholds: [i32; 3],
    /// Such failures that were not reported since the last report.
    pub suppressed: u32,
}

/// A neighbour that did not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourSilent {
    /// Its address.
    pub address: Ipv6Addr,
    /// The interface that it is on.
    pub interface: Name,
    /// The index of that.
    pub ifindex: u32,
    /// Whether it was known, and asked whether it still is there (`NUD_PROBE`).
    pub was_known: bool,
    /// The MAC that it had, if it was ever known.
    pub mac: Option<Mac>,
    /// Whether it had said that it is a router.
    pub is_router: bool,
    /// How often it was to be asked: what was known at its MAC, else by multicast.
    pub sent: u32,
    /// How often a program was asked for it (`app_solicit`).
    pub asked_program: u32,
    /// Packets that waited for it.
    pub waiting: u32,
    /// Where the last of these came from, and where it was to go.
    pub last_waiting: Option<(IpAddr, IpAddr)>,
    /// The last advertisement of it that came, if any.
    pub answer: Option<Answer>,
    /// Neighbours that were not reported since the last report.
    pub suppressed: u32,
}

/// A neighbour advertisement, as far as it may be the reason that nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it came, nanoseconds since boot.
    pub boot_ns: u64,
    /// By which interface.
    pub interface: Name,
    /// The index of that.
    pub ifindex: u32,
    /// Its hop limit.
    pub hop_limit: u8,
    /// Its `ICMPv6` code.
    pub code: u8,
    /// Whether it says that it was asked for (S).
    pub is_solicited: bool,
    /// Whether it went to a group.
    pub to_group: bool,
    /// Whether it has no options, and so no address on the link.
    pub is_bare: bool,
}

/// A proxy that may not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct NeighbourProxyIdle {
    /// The address that it is to answer for.
    pub address: Ipv6Addr,
    /// Who asked.
    pub source: Ipv6Addr,
    /// On which interface.
    pub interface: Name,
    /// The index of that.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.forwarding`
    pub forwarding: i32,
    /// `net.ipv6.conf.IF.proxy_ndp`
    pub proxy_ndp: i32,
    /// `net.ipv6.conf.all.proxy_ndp`
    pub all_proxy_ndp: i32,
    /// `net.ipv6.conf.all.forwarding`
    pub all_forwarding: i32,
    /// Such solicitations that were not reported since the last report.
    pub suppressed: u32,
}

impl Decode for NeighbourTableFull {
    type Wire = wire::NeighbourTableFull;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            address: wire.address.into(),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            errno: Errno(wire.ret.saturating_neg()),
            entries: wire.entries,
            thresholds: [wire.gc_thresh1, wire.gc_thresh2, wire.gc_thresh3],
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for NeighbourSilent {
    type Wire = wire::NeighbourSilent;

    fn from_wire(wire: &Self::Wire) -> Self {
        let was_known = wire.nud_state & wire::NUD_PROBE != 0;
        // What is looked for begins where what is known ends: at `ucast_solicit`.
        let begin = if was_known { 0 } else { wire.ucast_solicit };
        let probes = wire.probes.saturating_sub(begin);
        let unicast = if was_known { wire.ucast_solicit } else { 0 };
        // `ndisc_solicit`: first itself, then a program, then everybody.
        let asked_program = probes.saturating_sub(unicast).min(wire.app_solicit);
        let mac = <[u8; 6]>::try_from(&wire.lladdr[..6]).ok().map(Mac);
        Self {
            address: wire.address.into(),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            was_known,
            mac: mac.filter(|_| wire.lladdr_len == 6),
            is_router: wire.ntf_flags & ROUTER != 0,
            sent: probes - asked_program,
            asked_program,
            waiting: wire.waiting,
            last_waiting: (wire.waiting_for != [0; 16]).then(|| {
                let [from, to] = [wire.waiting_from, wire.waiting_for].map(Ipv6Addr::from);
                (from.to_canonical(), to.to_canonical())
            }),
            answer: answer(wire),
            suppressed: wire.suppressed,
        }
    }
}

fn answer(wire: &wire::NeighbourSilent) -> Option<Answer> {
    let has = |flag| u32::from(wire.answer_seen) & flag != 0;
    has(wire::ANSWER_CAME).then(|| Answer {
        boot_ns: wire.answer_boot_ns,
        interface: name(&wire.answer_interface),
        ifindex: wire.answer_ifindex,
        hop_limit: wire.answer_hop_limit,
        code: wire.answer_code,
        is_solicited: wire.answer_flags & SOLICITED != 0,
        to_group: has(wire::ANSWER_TO_GROUP),
        is_bare: has(wire::ANSWER_WITHOUT_OPTIONS),
    })
}

impl Decode for NeighbourProxyIdle {
    type Wire = wire::NeighbourProxyIdle;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            address: wire.address.into(),
            source: wire.source.into(),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            forwarding: wire.forwarding,
            proxy_ndp: wire.proxy_ndp,
            all_proxy_ndp: wire.all_proxy_ndp,
            all_forwarding: wire.all_forwarding,
            suppressed: wire.suppressed,
        }
    }
}

impl NeighbourSilent {
    /// The state that its entry was in.
    pub(super) const fn state(&self) -> &'static str {
        if self.was_known {
            "PROBE"
        } else {
            "INCOMPLETE"
        }
    }

    /// Where the last packet that waited was to go by way of it.
    pub(super) fn beyond(&self) -> Option<IpAddr> {
        let (_, to) = self.last_waiting?;
        (to != IpAddr::V6(self.address)).then_some(to)
    }

    /// Whether anything was to be sent to it, as far as is known: what is only looked
    /// for may be so for a program that wants to know.
    pub(super) const fn was_wanted(&self) -> bool {
        self.was_known || self.waiting > 0
    }
}
