//! What the kernel side tells of router advertisements.

use std::net::Ipv6Addr;

use v6trace_common::families::advertisement as wire;

use super::message::Message;
use crate::{
    event::{Name, name},
    families::Decode,
    frame::Frame,
};

/// A router advertisement that the kernel processed.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterAdvertisement {
    /// The frame.
    pub frame: Frame,
    /// What it says.
    pub message: Message,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// Its MTU.
    pub mtu: Option<u32>,
    /// What it heeds.
    pub sysctls: Option<Sysctls>,
    /// What it heeds of routes; `None` also where the kernel knows of none.
    pub routes: Option<RouteSysctls>,
    /// `accept_ra_min_lft`, 0 where the kernel has no such sysctl.
    pub min_lft: i32,
    /// `ra_honor_pio_pflag`, 0 where the kernel has no such sysctl.
    pub honor_pflag: i32,
    /// Of what the interface makes addresses; `None` where that could not be read.
    pub identifier: Option<Identifier>,
    /// Whether the interface itself has the source as an address; `None` where
    /// it has more addresses than were looked at.
    pub own_source: Option<bool>,
    /// A raw socket that was given the advertisement, by inode number.
    pub taker: Option<u64>,
    /// How many raw sockets were.
    pub takers: u32,
    /// Whether the same was told ten seconds ago or more, and nobody takes it still.
    pub still_ignored: bool,
    /// Whether it took away a default route by way of the router, of which the family of
    /// routes tells.
    pub default_route_went: bool,
    /// Whether the interface ignores it as it forwards, and has no address but a
    /// link-local one.
    pub without_address: bool,
    /// Records of this interface that were not written since the last one.
    pub suppressed: u32,
}

/// `net.ipv6.conf.IF.*`, as far as advertisements depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sysctls {
    /// `forwarding`
    pub forwarding: i32,
    /// `accept_ra`
    pub accept_ra: i32,
    /// `accept_ra_defrtr`
    pub defrtr: i32,
    /// `accept_ra_pinfo`
    pub pinfo: i32,
    /// `accept_ra_min_hop_limit`
    pub min_hop_limit: i32,
    /// `accept_ra_mtu`
    pub mtu: i32,
    /// `accept_ra_from_local`
    pub from_local: i32,
    /// `autoconf`
    pub autoconf: i32,
}

/// Of what an interface makes the last 64 bits of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// `net_device.type` (`ARPHRD_*`)
    pub device_type: u16,
    /// Bytes of an address of its link, 0 without.
    pub addr_len: u16,
    /// `addr_gen_mode`
    pub addr_gen_mode: i32,
    /// Whether it has a token.
    pub has_token: bool,
    /// Whether it, or `default`, has a stable_secret.
    pub has_secret: bool,
    /// Whether it has a link-local address that is not tentative; `None` where it has
    /// more addresses than were looked at.
    pub has_link_local: Option<bool>,
}

/// The same as [`Sysctls`], as far as routes depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteSysctls {
    /// `accept_ra_rtr_pref`
    pub rtr_pref: i32,
    /// `accept_ra_rt_info_min_plen`
    pub min_plen: i32,
    /// `accept_ra_rt_info_max_plen`
    pub max_plen: i32,
}

/// A router's message that the kernel did not look into, or not follow.
#[derive(Clone, Debug, PartialEq)]
pub struct RouterMessageIgnored {
    /// The frame.
    pub frame: Frame,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// `forwarding` and `accept_redirects`.
    pub sysctls: Option<(i32, i32)>,
    /// Whether it came in fragments, and the interface ignores such messages.
    pub fragmented: bool,
    /// Records of this interface that were not written since the last one.
    pub suppressed: u32,
}

/// An address that was not made of an advertised prefix.
#[derive(Clone, Debug, PartialEq)]
pub struct AdvertisedAddressRefused {
    /// The address.
    pub address: Ipv6Addr,
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// How many addresses the interface has, at least.
    pub addresses: u32,
    /// Whether it has no more.
    pub complete: bool,
    /// `max_addresses` and `disable_ipv6`.
    pub sysctls: Option<(i32, i32)>,
    /// Records of this interface that were not written since the last one.
    pub suppressed: u32,
}

/// Solicitations of an interface that nobody answered.
#[derive(Clone, Debug, PartialEq)]
pub struct SolicitationsUnanswered {
    /// The interface.
    pub interface: Name,
    /// Its index.
    pub ifindex: u32,
    /// How many were sent.
    pub sent: u32,
    /// `router_solicitations`: how many are sent at most, without limit if it is
    /// negative.
    pub router_solicitations: i32,
}

impl Decode for RouterAdvertisement {
    type Wire = wire::RouterAdvertisement;

    fn from_wire(wire: &Self::Wire) -> Self {
        let has = |flag| wire.read & flag != 0;
        let found = |flag| (has(flag) || has(wire::ADDRESSES_COMPLETE)).then_some(has(flag));
        let copied = &wire.frame;
        let frame = Frame::new(
            copied
                .bytes
                .get(..copied.copied.into())
                .unwrap_or(&copied.bytes),
            copied.length,
            copied.network,
            copied.transport,
        );
        Self {
            message: Message::parse(frame.neighbour_message(), frame.message_length()),
            frame,
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            mtu: has(wire::MTU_READ).then_some(wire.mtu),
            sysctls: has(wire::SYSCTLS_READ).then_some(Sysctls {
                forwarding: wire.forwarding,
                accept_ra: wire.accept_ra,
                defrtr: wire.accept_ra_defrtr,
                pinfo: wire.accept_ra_pinfo,
                min_hop_limit: wire.accept_ra_min_hop_limit,
                mtu: wire.accept_ra_mtu,
                from_local: wire.accept_ra_from_local,
                autoconf: wire.autoconf,
            }),
            routes: has(wire::ROUTE_INFO_READ).then_some(RouteSysctls {
                rtr_pref: wire.accept_ra_rtr_pref,
                min_plen: wire.accept_ra_rt_info_min_plen,
                max_plen: wire.accept_ra_rt_info_max_plen,
            }),
            min_lft: wire.accept_ra_min_lft,
            honor_pflag: wire.ra_honor_pio_pflag,
            identifier: has(wire::IDENTIFIER_READ).then_some(Identifier {
                device_type: wire.device_type,
                addr_len: wire.addr_len,
                addr_gen_mode: wire.addr_gen_mode,
                has_token: has(wire::TOKEN_SET),
                has_secret: has(wire::STABLE_SECRET_SET),
                has_link_local: found(wire::LINK_LOCAL_USABLE),
            }),
            own_source: found(wire::OWN_SOURCE),
            taker: (wire.takers > 0).then_some(wire.taker),
            takers: wire.takers,
            still_ignored: has(wire::STILL_IGNORED),
            default_route_went: has(wire::DEFAULT_ROUTE_WENT),
            without_address: has(wire::WITHOUT_ADDRESS),
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for RouterMessageIgnored {
    type Wire = wire::RouterMessageIgnored;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            frame: Frame::from_wire(&wire.frame),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            sysctls: (wire.read_sysctls & wire::SYSCTLS_READ != 0)
                .then_some((wire.forwarding, wire.accept_redirects)),
            fragmented: wire.fragmented != 0,
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for AdvertisedAddressRefused {
    type Wire = wire::AdvertisedAddressRefused;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            address: Ipv6Addr::from(wire.address),
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            addresses: wire.addresses,
            complete: wire.addresses_complete != 0,
            sysctls: (wire.read_sysctls & wire::SYSCTLS_READ != 0)
                .then_some((wire.max_addresses, wire.disable_ipv6)),
            suppressed: wire.suppressed,
        }
    }
}

impl Decode for SolicitationsUnanswered {
    type Wire = wire::SolicitationsUnanswered;

    fn from_wire(wire: &Self::Wire) -> Self {
        Self {
            interface: name(&wire.interface),
            ifindex: wire.ifindex,
            sent: wire.rs_probes,
            router_solicitations: wire.router_solicitations,
        }
    }
}
