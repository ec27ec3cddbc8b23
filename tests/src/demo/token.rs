//! A router is to get its own address from another router, with a token.

use anyhow::Result;

use super::run_shown;
use crate::guest::Netns;

pub(super) fn tell() -> Result<Vec<Netns>> {
    let netns = Netns::new("branch")?;
    netns.ip("link add wan0 type veth peer name isp0")?;
    netns.ip("link set wan0 up")?;
    run_shown("ip netns exec branch sysctl -w net.ipv6.conf.wan0.forwarding=1")?;
    run_shown("ip -n branch token set ::53 dev wan0")?;
    Ok(vec![netns])
}
