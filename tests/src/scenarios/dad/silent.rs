//! Near misses: addresses that pass their test, or are not tested.

use anyhow::Result;

use super::Host;
use super::own::{address, after, mac, other_mac, third_mac};
use crate::guest::{AddressState, Segment, Tracing};
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
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    let second = after(address(), 1);
    let tracer = Tracing::start()?;
    host.add(address(), "")?;
    other.add(second, "")?;
    AddressState::Usable.wait(&host.netns, "eth0", address())?;
    AddressState::Usable.wait(&other.netns, "eth0", second)?;
    tracer.finish()?.silent()
}

/// An address that is not tested is in use twice.
fn nodad() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    let tracer = Tracing::start()?;
    other.add(address(), "nodad")?;
    host.add(address(), "nodad")?;
    AddressState::Usable.wait(&host.netns, "eth0", address())?;
    AddressState::Usable.wait(&other.netns, "eth0", address())?;
    tracer.finish()?.silent()
}

/// An address that has failed before is asked for by a third host, which gets
/// it. The kernel reports another failure of the first to itself, and ignores
/// it.
fn not_twice() -> Result<()> {
    let segment = Segment::new()?;
    let (host, other) = (
        Host::new(&segment, "guest", mac())?,
        Host::new(&segment, "other", other_mac())?,
    );
    let third = Host::new(&segment, "third", third_mac())?;
    other.add(address(), "nodad")?;
    host.add(address(), "")?;
    AddressState::Failed.wait(&host.netns, "eth0", address())?;
    other.del(address())?;
    let tracer = Tracing::start()?;
    third.add(address(), "")?;
    AddressState::Usable.wait(&third.netns, "eth0", address())?;
    AddressState::Failed.wait(&host.netns, "eth0", address())?;
    tracer.finish()?.silent()
}
