//! What the kernel asks each of very many routes about: an interface that is set down, and
//! an address that is deleted.

use std::net::Ipv6Addr;

use anyhow::{Result, anyhow};

use super::route::{destination, granted, request};
use super::{Operation, Workload};
use crate::guest::{AddressRequest, Link, Netlink, Netns, set_up};

/// An interface with very many routes is set down, which they go by.
pub(super) const DOWN: Workload = Workload {
    name: "down-routes",
    count: 4,
    prepare: |_| prepare_down(),
};

/// An interface is set down where another has very many routes, which stay.
pub(super) const DOWN_BESIDE: Workload = Workload {
    name: "down-beside",
    count: 50,
    prepare: |_| prepare_beside(),
};

/// An address is added and deleted where there are very many routes, which it is no
/// source of.
pub(super) const ADDRESS: Workload = Workload {
    name: "address-routes",
    count: 50,
    prepare: |_| prepare_address(),
};

/// So many routes.
const ROUTES: u32 = 10_000;

/// A namespace with the routes by one interface, and another interface.
struct Routes {
    netns: Netns,
    netlink: Netlink,
    with: Link,
    other: Link,
}

impl Routes {
    fn make() -> Result<Self> {
        let netns = Netns::new("routes")?;
        let made = Self {
            netlink: Netlink::open(&netns)?,
            with: netns.dummy("r0")?,
            other: netns.dummy("r1")?,
            netns,
        };
        made.add()?;
        Ok(made)
    }

    fn add(&self) -> Result<()> {
        let mut netlink = Netlink::open(&self.netns)?;
        for number in 0..ROUTES {
            let route = request(destination(3, number), self.with.ifindex);
            granted(route.add(&mut netlink)?)?;
        }
        Ok(())
    }

    /// By a thread of its own, whose time does not count.
    fn add_unmeasured(&self) -> Result<()> {
        std::thread::scope(|scope| scope.spawn(|| self.add()).join())
            .map_err(|_| anyhow!("the thread that adds routes panicked"))?
    }
}

fn prepare_down() -> Result<Operation> {
    let mut routes = Routes::make()?;
    Ok(Box::new(move |_| {
        let ifindex = routes.with.ifindex;
        granted(set_up(&mut routes.netlink, ifindex, false)?)?;
        granted(set_up(&mut routes.netlink, ifindex, true)?)?;
        routes.add_unmeasured()
    }))
}

fn prepare_beside() -> Result<Operation> {
    let mut routes = Routes::make()?;
    Ok(Box::new(move |_| {
        let ifindex = routes.other.ifindex;
        granted(set_up(&mut routes.netlink, ifindex, false)?)?;
        granted(set_up(&mut routes.netlink, ifindex, true)?)
    }))
}

fn prepare_address() -> Result<Operation> {
    let mut routes = Routes::make()?;
    let address = AddressRequest {
        ifindex: routes.other.ifindex,
        address: Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1),
        prefix_len: 64,
        flags: 0,
        lifetimes: None,
    };
    Ok(Box::new(move |_| {
        granted(address.add(&mut routes.netlink)?)?;
        granted(address.delete(&mut routes.netlink)?)
    }))
}
