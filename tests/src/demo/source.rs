//! A host without an IPv4 address of its own reaches an IPv4 network by way of
//! an IPv6 next hop (RFC 8950): nothing fails, and nothing comes back.

use anyhow::Result;

use super::{run_shown, say};
use crate::guest::Netns;

pub(super) fn tell() -> Result<Vec<Netns>> {
    let host = Netns::new("leaf")?;
    let spine = Netns::new("spine")?;
    host.ip("link set lo up")?;
    host.ip("link add swp1 type veth peer name swp1 netns spine")?;
    for (end, address) in [(&spine, "fe80::1"), (&host, "fe80::2")] {
        end.ip("link set swp1 addrgenmode none up")?;
        end.ip(&format!("address add {address}/64 dev swp1 nodad"))?;
    }
    run_shown("ip -n leaf route add 198.51.100.0/24 via inet6 fe80::1 dev swp1")?;
    say("The host has no IPv4 address. It connects:");
    run_shown(
        "ip netns exec leaf timeout 2 bash -c 'exec 3<>/dev/tcp/198.51.100.9/179'; echo \"exit $?\"",
    )?;
    Ok(vec![host, spine])
}
