//! Changes of forwarding and of addresses by which this host takes nothing.

use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::Result;

use super::{FIRST, Pair};
use crate::guest::{AddressState, MulticastSocket, Tracing, until};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("subnet-router-anycast-not-without-prefix", without_prefix),
    scenario("subnet-router-anycast-not-again", again),
    scenario("subnet-router-anycast-not-own-address", own_address),
    scenario(
        "subnet-router-anycast-not-own-address-elsewhere",
        own_elsewhere,
    ),
];

/// Link-local addresses alone, then prefixes that are too long. The far end
/// forwards as well, in a namespace with nothing to take.
fn without_prefix() -> Result<()> {
    let pair = Pair::new()?;
    let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
    let tracer = Tracing::start()?;
    pair.near.ip("address add fe80::7/64 dev v0 nodad")?;
    pair.forward("all", "1")?;
    pair.wait_for(link_local, true)?;
    pair.forward("all", "0")?;
    pair.wait_for(link_local, false)?;
    pair.near.ip("address add fd00:4::3/127 dev v0 nodad")?;
    pair.near.ip("address add fd00:4::8/128 dev v0 nodad")?;
    pair.near
        .ip("address add fd00:4::1 peer fd00:4:: dev v0 nodad")?;
    pair.forward("all", "1")?;
    pair.wait_for(link_local, true)?;
    pair.forward("all", "0")?;
    tracer.finish()?.silent()
}

/// What this host has already: by a further address, by a socket, and by a
/// write that changes nothing.
fn again() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    let socket = MulticastSocket::udp(&pair.near)?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.near.ip("address add fd00:4::6/64 dev v0")?;
    // A busy kernel takes for it later than it takes the request (`addrconf_dad_work`).
    let further = Ipv6Addr::new(0xfd00, 4, 0, 0, 0, 0, 0, 6);
    until("it is usable", Duration::from_secs(8), || {
        let state = AddressState::of(&pair.near, "v0", further);
        state.is_ok_and(|state| state == AddressState::Usable)
    })?;
    socket.join_anycast(pair.interface.ifindex, FIRST)?;
    // The socket keeps it.
    pair.forward("all", "0")?;
    pair.wait_for(FIRST, true)?;
    tracer.finish()?.silent()
}

/// The host itself has the first address: nothing is taken from anybody.
fn own_address() -> Result<()> {
    let pair = Pair::new()?;
    pair.near.ip("address add fd00:9::/64 dev v0 nodad")?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for(Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 0), true)?;
    pair.forward("all", "0")?;
    tracer.finish()?.silent()
}

/// Another interface of the host has it.
fn own_elsewhere() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.near.dummy("d0")?;
    pair.near.ip("address add fd00:4::/128 dev d0 nodad")?;
    let tracer = Tracing::start()?;
    pair.forward("all", "1")?;
    pair.wait_for(FIRST, true)?;
    pair.forward("all", "0")?;
    pair.wait_for(FIRST, false)?;
    tracer.finish()?.silent()
}
