//! Near misses: addresses that pass their test, or are not tested.

use std::net::Ipv6Addr;

use anyhow::Result;

use super::{ADDRESS, Host, MAC, OTHER_MAC};
use crate::guest::{AddressState, Segment, Tracing};
use crate::scenarios::{Scenario, alone};

pub(super) const SCENARIOS: &[Scenario] = &[
    alone("dad-conflict-not-unique-addresses", unique),
    alone("dad-conflict-not-nodad", nodad),
    alone("dad-conflict-not-twice", not_twice),
];

/// Two hosts with an address each.
fn unique() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", MAC)?,
        Host::new(&segment, "other", OTHER_MAC)?,
    );
    let second = Ipv6Addr::from(u128::from(ADDRESS) + 1);
    let tracer = Tracing::start()?;
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
    let tracer = Tracing::start()?;
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
    let tracer = Tracing::start()?;
    third.add(ADDRESS, "")?;
    AddressState::Usable.wait(&third.netns, "eth0", ADDRESS)?;
    AddressState::Failed.wait(&host.netns, "eth0", ADDRESS)?;
    tracer.finish()?.silent()
}
