//! A packet that a router passes on.

use std::net::{Ipv6Addr, UdpSocket};

use anyhow::{Context as _, Result};

use super::{Operation, Workload};
use crate::guest::Netns;

/// From the system call that sends it until the router has given it to the next link, which
/// takes everything.
pub(super) const WORKLOAD: Workload = Workload {
    name: "forwarded",
    count: 8000,
    prepare: |_| prepare(),
};

const SENDER: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, 1);
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, 2);
const BEYOND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 2, 0, 0, 0, 9);

fn prepare() -> Result<Operation> {
    let (sender, router) = (Netns::new("passing")?, Netns::new("router")?);
    let far = router.name();
    sender.ip(&format!("link add s0 type veth peer name r0 netns {far}"))?;
    for (netns, interface, address) in [(&sender, "s0", SENDER), (&router, "r0", ROUTER)] {
        netns.ip(&format!("address add {address}/64 dev {interface} nodad"))?;
        netns.ip(&format!("link set {interface} up"))?;
    }
    sender.ip(&format!("-6 route add default via {ROUTER}"))?;
    router.dummy("r1")?;
    router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    router.ip("-6 route add fd00:0:0:2::/64 via fe80::2 dev r1")?;
    let socket = sender.enter(|| {
        let socket = UdpSocket::bind((SENDER, 0)).context("cannot bind")?;
        socket.connect((BEYOND, 4000)).context("cannot connect")?;
        Ok(socket)
    })?;
    Ok(Box::new(move |_| {
        // They stay for as long as it is done.
        let _places = (&sender, &router);
        socket.send(&[0])?;
        Ok(())
    }))
}
