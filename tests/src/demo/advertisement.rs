//! A host turns forwarding on, as container engines do, and then its router
//! announces itself: nothing comes of it, and nothing is logged.

use std::time::Duration;

use anyhow::Result;

use super::{run_shown, say};
use crate::guest::{AddressState, Netns, Radvd};

/// radvd announces itself a moment after it has started.
const ANNOUNCED: Duration = Duration::from_secs(3);

pub(super) fn tell() -> Result<Vec<Netns>> {
    let host = Netns::new("docker")?;
    let router = Netns::new("gateway")?;
    host.ip("link add eth0 type veth peer name lan0 netns gateway")?;
    run_shown("ip netns exec docker sysctl -w net.ipv6.conf.all.forwarding=1")?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.set_sysctl("ipv6/conf/lan0/accept_dad", "0")?;
    router.ip("link set lan0 up")?;
    host.ip("link set eth0 up")?;
    // Until then the link may not be there, and the first one is not heard.
    AddressState::wait_for_link_local(&host, "eth0")?;
    say("The router's radvd announces 2001:db8::/64 and itself:");
    let _radvd = Radvd::start_quick(&router, "lan", true)?;
    std::thread::sleep(ANNOUNCED);
    run_shown("ip -n docker -6 route show default")?;
    run_shown("ip netns exec docker sysctl net.ipv6.conf.eth0.accept_ra")?;
    Ok(vec![host, router])
}
