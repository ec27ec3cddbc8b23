//! A host and a router on one link, as families need them that are about the way out.

use anyhow::Result;

use super::{Link, Netns};

/// A host, a router in a namespace of its own, and the host's interface v0, whose other
/// end v1 is the router's. They have fe80::2 and fe80::1 there, and nothing else.
pub(crate) fn host_and_router(name: &str) -> Result<(Netns, Netns, Link)> {
    let host = Netns::new(name)?;
    let router = Netns::new(&format!("{name}-router"))?;
    host.ip("link set lo up")?;
    host.ip(&format!(
        "link add v0 type veth peer name v1 netns {}",
        router.name()
    ))?;
    // Addresses that no DAD delays: while they are tentative nothing is sent over the
    // next hop.
    for (end, link, address) in [(&router, "v1", "fe80::1"), (&host, "v0", "fe80::2")] {
        // At once with `up` it would be too late.
        end.ip(&format!("link set {link} addrgenmode none"))?;
        end.ip(&format!("link set {link} up"))?;
        end.ip(&format!("address add {address}/64 dev {link} nodad"))?;
    }
    router.carries("v1")?;
    host.carries("v0")?;
    let interface = Link::find(&host, "v0")?;
    Ok((host, router, interface))
}

/// Another link of theirs, on which nobody has set an address: the host's interface w0, whose
/// other end w1 is the router's.
pub(crate) fn second_link(host: &Netns, router: &Netns) -> Result<()> {
    host.ip(&format!(
        "link add w0 type veth peer name w1 netns {}",
        router.name()
    ))?;
    router.ip("link set w1 up")?;
    host.ip("link set w0 up")?;
    host.carries("w0")
}
