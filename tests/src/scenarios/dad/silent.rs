//! Near misses: addresses that pass their test, or are not tested.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{ADDRESS, Host, MAC, OTHER_MAC};
use crate::guest::{AddressState, Segment, Tracer};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("dad-conflict-not-unique-addresses", unique),
    scenario("dad-conflict-not-nodad", nodad),
    scenario("dad-conflict-not-twice", not_twice),
];

/// Two hosts with an address each.
fn unique() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    let second = Ipv6Addr::from(u128::from(ADDRESS) + 1);
    let tracer = Tracer::start(&[])?;
    host.add(ADDRESS, "")?;
    other.add(second, "")?;
    AddressState::Usable.wait(&host.netns, "eth0", ADDRESS)?;
    AddressState::Usable.wait(&other.netns, "eth0", second)?;
    tracer.finish()?.silent()
}

/// An address that is not tested is in use twice.
fn nodad() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    let tracer = Tracer::start(&[])?;
    other.add(ADDRESS, "nodad")?;
    host.add(ADDRESS, "nodad")?;
    AddressState::Usable.wait(&host.netns, "eth0", ADDRESS)?;
    AddressState::Usable.wait(&other.netns, "eth0", ADDRESS)?;
    tracer.finish()?.silent()
}

/// An address that has failed before is asked for by a third host, which gets
/// it. The kernel reports another failure of the first to itself, and ignores
/// it.
fn not_twice() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    let third = Host::new(&segment, "third", "02:00:00:00:00:0c")?;
    other.add(ADDRESS, "nodad")?;
    host.add(ADDRESS, "")?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    other.del(ADDRESS)?;
    let tracer = Tracer::start(&[])?;
    third.add(ADDRESS, "")?;
    AddressState::Usable.wait(&third.netns, "eth0", ADDRESS)?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    tracer.finish()?.silent()
}
