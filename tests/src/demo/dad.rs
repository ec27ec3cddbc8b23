//! A guest's own question whether its address is taken comes back to it from
//! the bridge, and counts as an answer.

use std::time::Duration;

use anyhow::Result;

use super::{run_shown, say};
use crate::guest::{Netns, until};

pub(super) fn tell() -> Result<Vec<Netns>> {
    let host = Netns::new("hypervisor")?;
    let guest = Netns::new("vm")?;
    host.ip("link add br0 type bridge")?;
    host.ip("link add port0 type veth peer name eth0 netns vm")?;
    host.ip("link set port0 master br0")?;
    host.ip("link set br0 up")?;
    host.ip("link set port0 up type bridge_slave hairpin on")?;
    say("The bridge port of a virtual machine is in hairpin mode.");
    for interface in ["all", "eth0"] {
        guest.set_sysctl(&format!("ipv6/conf/{interface}/enhanced_dad"), "0")?;
    }
    // Its link-local address would come back as well.
    guest.ip("link set eth0 addrgenmode none")?;
    guest.ip("link set eth0 up")?;
    guest.ip("address add fe80::53/64 dev eth0 nodad")?;
    run_shown("ip -n vm address add 2001:db8::53/64 dev eth0")?;
    until("the address fails", Duration::from_secs(10), || {
        guest
            .enter(|| Ok(std::fs::read_to_string("/proc/thread-self/net/if_inet6")?))
            .is_ok_and(|list| list.lines().any(is_dadfailed))
    })?;
    run_shown("ip -n vm -brief address show dev eth0")?;
    Ok(vec![host, guest])
}

/// Whether a line of `if_inet6` has `IFA_F_DADFAILED` (8) among its flags, the
/// fifth column.
fn is_dadfailed(line: &str) -> bool {
    let flags = line.split_whitespace().nth(4);
    flags.is_some_and(|flags| u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & 8 != 0))
}
