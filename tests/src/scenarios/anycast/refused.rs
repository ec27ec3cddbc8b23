//! Requests for an anycast address that the kernel refuses, and near-misses
//! that it grants.

use std::io;
use std::net::Ipv6Addr;

use anyhow::{Result, ensure};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

use super::{FIRST, Pair};
use crate::guest::{Diagnosis, Expect, MulticastSocket, OptmemMax, Report, Tracing};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("anycast-not-permitted", not_permitted),
    scenario("anycast-multicast-and-own-address", multicast_and_own),
    scenario("anycast-not-on-link", not_on_link),
    scenario("anycast-not-on-link-by-routes", not_by_routes),
    scenario("anycast-no-such-device", no_such_device),
    scenario("anycast-optmem-exhausted", optmem_exhausted),
    scenario("anycast-request-granted", granted),
];

/// Of no subnet here.
const FOREIGN: Ipv6Addr = Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 7);
const OWN: Ipv6Addr = Ipv6Addr::new(0xfd00, 4, 0, 0, 0, 0, 0, 5);
const GROUP: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0x6e, 1);

/// Bytes of a `struct ipv6_ac_socklist`.
const SIZE: u64 = 32;

/// A host with a socket.
struct Asking {
    pair: Pair,
    socket: MulticastSocket,
}

impl Asking {
    fn new() -> Result<Self> {
        let pair = Pair::in_subnet()?;
        let socket = MulticastSocket::udp(&pair.near)?;
        Ok(Self { pair, socket })
    }

    fn ifindex(&self) -> u32 {
        self.pair.interface.ifindex
    }

    /// Asks for something that is refused with `errno`.
    fn fails(&self, ifindex: u32, address: Ipv6Addr, errno: i32) -> Result<()> {
        refused(&self.socket.join_anycast(ifindex, address), errno)
    }

    /// The same under a tracer of its own.
    fn traced(&self, ifindex: u32, address: Ipv6Addr, errno: i32) -> Result<Report> {
        let tracer = Tracing::start()?;
        self.fails(ifindex, address, errno)?;
        let report = tracer.finish()?;
        report.complete()?;
        Ok(report)
    }

    /// What holds for each request.
    fn expect<'d>(
        &self,
        diagnosis: &'d Diagnosis,
        address: Ipv6Addr,
        errno: &str,
    ) -> Result<Expect<'d>> {
        Ok(diagnosis
            .expect()
            .field("severity", "failure")
            .field("operation", "anycast-join")
            .field("errno", errno)
            .field("pid", std::process::id())
            .field("netns", self.pair.near.inode())
            .field("address", address.to_string())
            .evidence("socket", self.socket.inode()?)
            .evidence("size", SIZE)
            .evidence("all_forwarding", 0)
            .summary_has(["guest", address.to_string().as_str(), errno]))
    }
}

fn refused(done: &io::Result<()>, errno: i32) -> Result<()> {
    let got = done.as_ref().err().and_then(io::Error::raw_os_error);
    ensure!(got == Some(errno), "{done:?}, not errno {errno}");
    Ok(())
}

/// A task that has no CAP_NET_ADMIN.
fn not_permitted() -> Result<()> {
    let asking = Asking::new()?;
    let tracer = Tracing::start()?;
    asking.pair.near.enter(|| {
        let mut sets = capabilities(None)?;
        sets.effective.remove(CapabilitySet::NET_ADMIN);
        set_capabilities(None, sets)?;
        asking.fails(asking.ifindex(), FIRST, libc::EPERM)
    })?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("anycast-not-permitted")?;
    asking
        .expect(diagnosis, FIRST, "EPERM")?
        .field("confidence", "certain")
        .field("ifindex", asking.ifindex())
        .field("interface", "v0")
        .evidence("net_admin", false)
        .summary_has(["CAP_NET_ADMIN", "v0"])
        .some_fix_has("CAP_NET_ADMIN")
        .check()
}

/// Both are EINVAL.
fn multicast_and_own() -> Result<()> {
    let asking = Asking::new()?;
    let tracer = Tracing::start()?;
    asking.fails(asking.ifindex(), GROUP, libc::EINVAL)?;
    asking.fails(asking.ifindex(), OWN, libc::EINVAL)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let [group, own] = report.diagnoses.as_slice() else {
        unreachable!("they were counted");
    };
    asking
        .expect(group, GROUP, "EINVAL")?
        .field("confidence", "certain")
        .field("cause", "anycast-multicast")
        .evidence("net_admin", true)
        .some_fix_has("IPV6_ADD_MEMBERSHIP")
        .check()?;
    asking
        .expect(own, OWN, "EINVAL")?
        .field("confidence", "certain")
        .field("cause", "anycast-own-address")
        .no_fix_has("del")
        .check()?;
    own.follow("address show")
}

/// A host asks for an address outside its subnets, and has it once it has one
/// of that subnet.
fn not_on_link() -> Result<()> {
    let asking = Asking::new()?;
    let report = asking.traced(asking.ifindex(), FOREIGN, libc::EADDRNOTAVAIL)?;
    let diagnosis = report.only("anycast-not-on-link")?;
    asking
        .expect(diagnosis, FOREIGN, "EADDRNOTAVAIL")?
        .field("confidence", "certain")
        .field("interface", "v0")
        .evidence("forwarding", 0)
        .summary_has(["v0"])
        .no_fix_has("forwarding=1")
        .check()?;
    diagnosis.follow_with("ip address add", "fd00:9::1/64 nodad")?;
    asking.socket.join_anycast(asking.ifindex(), FOREIGN)?;
    Ok(())
}

/// No interface is given: no route leads there, then one of which the interface
/// has no such subnet.
fn not_by_routes() -> Result<()> {
    let asking = Asking::new()?;
    let tracer = Tracing::start()?;
    asking.fails(0, FOREIGN, libc::EADDRNOTAVAIL)?;
    asking
        .pair
        .near
        .ip("-6 route add default via fd00:4:: dev v0")?;
    asking.fails(0, FOREIGN, libc::EADDRNOTAVAIL)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    for diagnosis in &report.diagnoses {
        asking
            .expect(diagnosis, FOREIGN, "EADDRNOTAVAIL")?
            .field("cause", "anycast-not-on-link")
            // Which of the two reasons it is, is not known.
            .field("confidence", "likely")
            .check()?;
    }
    report.diagnoses[1].follow("route get")
}

/// An index of no interface, and an interface without IPv6.
fn no_such_device() -> Result<()> {
    const NOBODY: u32 = 4711;
    let asking = Asking::new()?;
    let tracer = Tracing::start()?;
    asking.fails(NOBODY, FIRST, libc::ENODEV)?;
    asking.pair.near.ip("link set v0 mtu 1279")?;
    asking.fails(asking.ifindex(), FIRST, libc::ENODEV)?;
    let report = tracer.finish()?;
    report.complete()?;
    report.count(2)?;
    let [absent, deaf] = report.diagnoses.as_slice() else {
        unreachable!("they were counted");
    };
    asking
        .expect(absent, FIRST, "ENODEV")?
        .field("confidence", "certain")
        .field("cause", "anycast-no-such-device")
        .field("interface", serde_json::Value::Null)
        .evidence("requested_ifindex", NOBODY)
        .summary_has([NOBODY])
        .check()?;
    absent.follow("ip -o link")?;
    asking
        .expect(deaf, FIRST, "ENODEV")?
        .field("confidence", "certain")
        .field("cause", "anycast-no-such-device")
        .field("interface", "v0")
        .summary_has(["v0", "1279"])
        .check()?;
    deaf.follow("mtu 1280")?;
    asking
        .pair
        .near
        .ip("address add fd00:4::5/64 dev v0 nodad")?;
    asking.socket.join_anycast(asking.ifindex(), FIRST)?;
    Ok(())
}

/// The very byte at which it is refused, and the fix.
fn optmem_exhausted() -> Result<()> {
    let asking = Asking::new()?;
    asking.socket.stick_destination_options(1024)?;
    let held = asking.socket.option_memory()?;
    let limit = OptmemMax::set(&asking.pair.near, held + SIZE)?;
    let report = asking.traced(asking.ifindex(), FIRST, libc::ENOMEM)?;
    let diagnosis = report.only("anycast-optmem-exhausted")?;
    asking
        .expect(diagnosis, FIRST, "ENOMEM")?
        .field("confidence", "certain")
        .evidence("sk_omem_alloc", held)
        .evidence("optmem_max", limit.bytes())
        .evidence("optmem_scope", limit.scope().as_str())
        .summary_has([held, SIZE, limit.bytes()])
        .check()?;
    diagnosis.follow("net.core.optmem_max=")?;
    asking.socket.join_anycast(asking.ifindex(), FIRST)?;
    Ok(())
}

/// One byte more: what is granted is only what it is in any case.
fn granted() -> Result<()> {
    let asking = Asking::new()?;
    asking.socket.stick_destination_options(1024)?;
    let held = asking.socket.option_memory()?;
    let _limit = OptmemMax::set(&asking.pair.near, held + SIZE + 1)?;
    let tracer = Tracing::start()?;
    asking.socket.join_anycast(asking.ifindex(), FIRST)?;
    // And once more for a second socket, which takes nothing.
    let second = MulticastSocket::udp(&asking.pair.near)?;
    second.join_anycast(0, FIRST)?;
    let report = tracer.finish()?;
    report.complete()?;
    report
        .only("subnet-router-anycast")?
        .expect()
        .field("severity", "notice")
        .evidence("trigger", "setsockopt")
        .check()
}
