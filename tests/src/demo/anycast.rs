//! A host exchanges packets with a neighbour whose address is the first of the
//! subnet. Then forwarding is enabled, and the kernel takes that address.

use anyhow::Result;

use super::{run_shown, say};
use crate::guest::Netns;

pub(super) fn tell() -> Result<Vec<Netns>> {
    let near = Netns::new("router")?;
    let far = Netns::new("peer")?;
    near.ip("link set lo up")?;
    near.ip("link add eth0 type veth peer name eth0 netns peer")?;
    near.ip("link set eth0 up")?;
    far.ip("link set eth0 up")?;
    far.ip("address add fd00:4::/64 dev eth0 nodad")?;
    near.ip("address add fd00:4::5/64 dev eth0 nodad")?;
    say("The peer has fd00:4::, the first address of the subnet, and answers:");
    run_shown("ip netns exec router ping -6 -n -q -c 1 -W 5 fd00:4:: | grep received")?;
    run_shown("ip netns exec router sysctl -w net.ipv6.conf.all.forwarding=1")?;
    Ok(vec![near, far])
}
