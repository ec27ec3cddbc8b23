//! An Ethernet segment: a bridge with hosts plugged into it.

use std::fs;
use std::net::Ipv6Addr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use netlink_packet_route::link::{
    BridgePortState, InfoBridgePort, InfoPortData, LinkAttribute, LinkInfo,
};

use super::{Link, Netlink, Netns, until_some};

/// How long a bridge may take to notice that a port has a carrier.
const LINK: Duration = Duration::from_secs(5);

/// How long duplicate address detection may take.
const DAD: Duration = Duration::from_secs(8);

/// `IFA_F_*` of an address.
const DAD_FAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;

/// A bridge in a namespace of its own.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) switch: Netns,
}

/// What became of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressState {
    /// It is not there.
    Absent,
    /// It is under test.
    Tentative,
    /// It was found in use.
    Failed,
    /// It can be used.
    Usable,
}

impl Segment {
    /// The name of the bridge.
    pub(crate) const BRIDGE: &str = "br0";

    /// Makes a segment with nothing on it.
    pub(crate) fn new() -> Result<Self> {
        let switch = Netns::new("switch")?;
        let bridge = Self::BRIDGE;
        switch.ip(&format!("link add {bridge} type bridge mcast_snooping 0"))?;
        switch.ip(&format!("link set {bridge} addrgenmode none up"))?;
        Ok(Self { switch })
    }

    /// Plugs a new interface of `netns` into the new port `port`. It is down,
    /// and will not make addresses of its own.
    pub(crate) fn plug(
        &self,
        netns: &Netns,
        interface: &str,
        port: &str,
        mac: &str,
    ) -> Result<Link> {
        let guest = netns.name();
        self.switch.ip(&format!(
            "link add {port} type veth peer name {interface} address {mac} netns {guest}"
        ))?;
        let bridge = Self::BRIDGE;
        self.switch
            .ip(&format!("link set {port} addrgenmode none master {bridge}"))?;
        self.switch.ip(&format!("link set {port} up"))?;
        netns.ip(&format!("link set {interface} addrgenmode none"))?;
        // Ask for a new address at once, not up to a second later.
        let delay = format!("ipv6/conf/{interface}/router_solicitation_delay");
        netns.set_sysctl(&delay, "0")?;
        Link::find(netns, interface)
    }

    /// Sets what is plugged into a port up, and waits until the bridge forwards what it
    /// sends: what it asks before that nobody hears.
    pub(crate) fn connect(&self, netns: &Netns, interface: &str, port: &str) -> Result<()> {
        netns.ip(&format!("link set {interface} up"))?;
        let what = format!("{port} should forward");
        let forwards = |told: &[_]| told.iter().any(forwards);
        Netlink::open(&self.switch)?.wait_for_link(port, &what, LINK, forwards)
    }

    /// Lets the port send back what it receives.
    pub(crate) fn hairpin(&self, port: &str) -> Result<()> {
        self.switch
            .ip(&format!("link set {port} type bridge_slave hairpin on"))
    }
}

/// Whether this says that a bridge forwards what comes in by a port.
fn forwards(attribute: &LinkAttribute) -> bool {
    let LinkAttribute::LinkInfo(info) = attribute else {
        return false;
    };
    let forwarding = InfoBridgePort::State(BridgePortState::Forwarding);
    info.iter().any(|info| {
        matches!(info, LinkInfo::PortData(InfoPortData::BridgePort(port))
            if port.contains(&forwarding))
    })
}

impl AddressState {
    /// What the kernel says of an address.
    pub(crate) fn of(netns: &Netns, interface: &str, address: Ipv6Addr) -> Result<Self> {
        let table = netns.enter(|| {
            fs::read_to_string("/proc/thread-self/net/if_inet6").context("cannot read addresses")
        })?;
        let address = format!("{:032x}", u128::from(address));
        // The address, then in hexadecimal the index of its interface, its
        // prefix length, its scope and its flags, then the interface's name.
        let flags = table.lines().find_map(|line| {
            let columns: Vec<_> = line.split_whitespace().collect();
            let [of, _, _, _, flags, name] = columns[..] else {
                return None;
            };
            (of == address && name == interface).then(|| u32::from_str_radix(flags, 16))
        });
        Ok(
            match flags.transpose().context("the flags of an address")? {
                None => Self::Absent,
                Some(flags) if flags & DAD_FAILED != 0 => Self::Failed,
                Some(flags) if flags & TENTATIVE != 0 => Self::Tentative,
                Some(_) => Self::Usable,
            },
        )
    }

    /// Waits until an interface has a link-local address that it can use.
    pub(crate) fn wait_for_link_local(netns: &Netns, interface: &str) -> Result<()> {
        let what = format!("{interface} should have a link-local address");
        until_some(&what, DAD, || {
            let table = netns.enter(|| {
                fs::read_to_string("/proc/thread-self/net/if_inet6")
                    .context("cannot read addresses")
            })?;
            let usable = table.lines().any(|line| {
                let columns: Vec<_> = line.split_whitespace().collect();
                matches!(columns[..], [address, _, _, _, "80", name]
                    if address.starts_with("fe80") && name == interface)
            });
            Ok(usable.then_some(()))
        })
    }

    /// Waits until an address is in this state.
    pub(crate) fn wait(self, netns: &Netns, interface: &str, address: Ipv6Addr) -> Result<()> {
        let mut last = None;
        let what = format!("{address} on {interface} should be {self:?}");
        until_some(&what, DAD, || {
            let state = Self::of(netns, interface, address)?;
            last = Some(state);
            Ok((state == self).then_some(()))
        })
        .with_context(|| format!("it is {last:?}"))
    }
}
