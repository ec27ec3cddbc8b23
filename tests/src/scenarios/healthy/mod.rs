//! A busy site on which nothing fails: v6trace names no failure and no hazard.
//!
//! A router with an own segment, two hosts on it, tunnels, a VRF, and rounds in
//! which everything that v6trace watches happens and succeeds.

mod busy;
mod daemons;
mod managers;

use std::io::{Read as _, Write as _};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket as StdUdpSocket,
};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use socket2::{Domain, Socket, Type};

use super::{Scenario, alone, scenario};
use crate::guest::{
    AddressState, Diagnosis, Link, MulticastSocket, Netns, Radvd, Tracing, default_route, group,
    until_some,
};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[&[
    scenario("healthy-site-has-no-failures", site),
    alone("healthy-busy-host-has-no-failures", busy::busy),
    scenario("healthy-daemons-have-no-failures", daemons::daemons),
]];

/// With daemons that are too large for every guest.
pub(super) const MANAGERS: &[&[Scenario]] = &[managers::SCENARIOS];

/// How often all of it happens: what takes turns has its turn once.
const ROUNDS: u32 = 3;

/// What nobody uses but forwarding takes is worth a notice, and no more; so is
/// an address that goes since its interface is set down.
const NOTICES: [&str; 3] = [
    "subnet-router-anycast",
    "subnet-router-anycast-released",
    "addresses-lost-on-down",
];

/// The router on the segment: by IPv6, and by IPv4.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const ROUTER_V4: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
/// Behind the router, to be reached over an IPv6 next hop.
const BEYOND: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The host's own for that.
const OWN: &str = "192.0.2.1";

/// A router, and on its segment a host, and another whose interface is in a
/// VRF.
struct Site {
    router: Netns,
    host: Netns,
    member: Netns,
}

/// Kinds of tunnels. Their modules are loaded; what a kernel has not is left
/// out.
const TUNNELS: [(&str, &str); 6] = [
    ("t4", "sit local 10.9.0.1 remote 10.9.0.9"),
    ("g4", "gre local 10.9.0.1 remote 10.9.0.9"),
    ("t6", "ip6tnl mode any local 2001:db8::1 remote 2001:db8::9"),
    ("g6", "ip6gre local 2001:db8::1 remote 2001:db8::9"),
    ("x0", "vxlan id 7 group ff05::7 dev br0 dstport 4789"),
    ("wg", "wireguard"),
];

fn site() -> Result<()> {
    let tracer = Tracing::start()?;
    let site = Site::new()?;
    let _radvd = Radvd::start(&site.router, "br", 1)?;
    site.wait_for_addresses()?;
    for round in 0..ROUNDS {
        site.interfaces(round)?;
        site.tunnels()?;
        site.memberships()?;
        site.traffic()?;
        site.tokens(round)?;
        site.forwarding(round)?;
    }
    ensure!(
        default_route(&site.host)?.is_some(),
        "the host lost its route"
    );
    let report = tracer.finish()?;
    report.complete()?;
    // Namespaces of scenarios before this one may take a while to go.
    let own = [&site.router, &site.host, &site.member, &Netns::host()?].map(Netns::inode);
    let (refused, other): (Vec<_>, Vec<_>) = report
        .diagnoses
        .iter()
        .filter(|diagnosis| own.iter().any(|inode| diagnosis.field("netns") == *inode))
        .partition(|diagnosis| joins_twice(diagnosis));
    for diagnosis in &other {
        ensure!(
            diagnosis.field("severity") == "notice" && NOTICES.contains(&diagnosis.cause()),
            "all was well, but v6trace says {diagnosis}"
        );
    }
    println!(
        "{} notices, radvd joined {} times in vain",
        other.len(),
        refused.len()
    );
    Ok(())
}

/// radvd joins the group of all routers anew for each change of its interface
/// that it hears of, and the kernel does refuse that.
fn joins_twice(diagnosis: &Diagnosis) -> bool {
    diagnosis.cause() == "already-joined"
        && diagnosis.field("comm") == "radvd"
        && diagnosis.field("address") == "ff02::2"
}

impl Site {
    fn new() -> Result<Self> {
        let router = Netns::new("site-router")?;
        let host = Netns::new("site-host")?;
        let member = Netns::new("site-member")?;
        for netns in [&router, &host, &member] {
            netns.ip("link set lo up")?;
        }
        router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        router.set_sysctl("ipv4/ip_forward", "1")?;
        router.ip("link add br0 type bridge")?;
        for (port, netns) in [("p0", &host), ("p1", &member)] {
            let name = netns.name();
            router.ip(&format!(
                "link add {port} type veth peer name eth0 netns {name}"
            ))?;
            router.ip(&format!("link set {port} addrgenmode none master br0 up"))?;
        }
        router.ip(&format!("address add {ROUTER}/64 dev br0"))?;
        router.ip(&format!("address add {ROUTER_V4}/24 dev br0"))?;
        router.ip(&format!("address add {BEYOND}/32 dev lo"))?;
        router.ip("link set br0 up")?;

        // Temporary addresses as well.
        host.set_sysctl("ipv6/conf/eth0/use_tempaddr", "2")?;
        host.ip("link set eth0 up")?;
        host.ip("address add 10.9.0.2/24 dev eth0")?;
        host.ip(&format!("address add {OWN}/32 dev lo"))?;
        router.ip(&format!("route add {OWN}/32 via 10.9.0.2"))?;

        member.ip("link add red up type vrf table 100")?;
        member.ip("link set eth0 master red")?;
        member.ip("link set eth0 up")?;
        member.ip("address add 10.9.0.3/24 dev eth0")?;
        Ok(Self {
            router,
            host,
            member,
        })
    }

    /// Both hosts make addresses of the router's prefix, and test them.
    fn wait_for_addresses(&self) -> Result<()> {
        AddressState::Usable.wait(&self.router, "br0", ROUTER)?;
        for netns in [&self.host, &self.member] {
            let what = "a host should learn its default route";
            until_some(what, Duration::from_secs(20), || default_route(netns))?;
        }
        let what = "a host should have a temporary address";
        until_some(what, Duration::from_secs(20), || {
            let table = self.host.enter(|| {
                std::fs::read_to_string("/proc/thread-self/net/if_inet6")
                    .context("cannot read the addresses")
            })?;
            // Neither permanent nor under test.
            let usable = |line: &&str| {
                let columns: Vec<_> = line.split_whitespace().collect();
                matches!(columns.as_slice(), [address, _, "40", "00", "01", "eth0"]
                    if address.starts_with("20010db8"))
            };
            Ok(table.lines().find(usable).map(str::to_owned))
        })?;
        // Now that the router can be reached: an IPv4 route as BGP makes it.
        self.host.ip(&format!(
            "route add 198.51.100.0/24 via inet6 {ROUTER} dev eth0 src {OWN}"
        ))
    }

    /// They come, get addresses that are tested, are renamed, and go.
    fn interfaces(&self, round: u32) -> Result<()> {
        let netns = &self.host;
        netns.ip("link add a0 type veth peer name a1")?;
        netns.ip("link set a0 up")?;
        netns.ip("link set a1 up")?;
        let address = Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 1);
        netns.ip(&format!("address add {address}/64 dev a0"))?;
        AddressState::Usable.wait(netns, "a0", address)?;
        netns.ip("link set a0 down")?;
        netns.ip(&format!("link set a0 name b{round}"))?;
        netns.ip(&format!("link set b{round} up"))?;
        netns.ip("address add fd00:9::7/64 dev a1 nodad")?;
        netns.ip("address del fd00:9::7/64 dev a1")?;
        netns.ip("link del a1")
    }

    fn tunnels(&self) -> Result<()> {
        let mut made = 0;
        for (name, kind) in TUNNELS {
            if self
                .router
                .ip(&format!("link add {name} type {kind}"))
                .is_err()
            {
                println!("no {kind} here");
                continue;
            }
            made += 1;
            self.router.ip(&format!("link set {name} up"))?;
            let words = format!("address add fd00:10:{made}::1/64 dev {name} nodad");
            self.router.ip(&words)?;
        }
        ensure!(made >= 3, "only {made} kinds of tunnels");
        for (name, _) in TUNNELS {
            // It may not be there.
            let _ = self.router.ip(&format!("link del {name}"));
        }
        Ok(())
    }

    fn memberships(&self) -> Result<()> {
        let interface = Link::find(&self.host, "eth0")?;
        let udp = MulticastSocket::udp(&self.host)?;
        let icmpv6 = MulticastSocket::icmpv6(&self.host)?;
        for n in 0..30 {
            udp.join(interface.ifindex, group(n))?;
            icmpv6.join_group(interface.ifindex, group(n))?;
        }
        for n in 0..30 {
            udp.leave(interface.ifindex, group(n))?;
        }
        Ok(())
    }

    /// Of both families, over the segment, over the IPv6 next hop, in the VRF.
    fn traffic(&self) -> Result<()> {
        let ways: [(&Netns, IpAddr, Option<&str>); 5] = [
            (&self.host, ROUTER.into(), None),
            (&self.host, ROUTER_V4.into(), None),
            (&self.host, BEYOND.into(), None),
            (&self.member, ROUTER.into(), Some("red")),
            (&self.member, ROUTER_V4.into(), Some("red")),
        ];
        for (from, to, device) in ways {
            self.tcp(from, to, device)
                .with_context(|| format!("TCP from {} to {to}", from.name()))?;
            self.udp(from, to, device)
                .with_context(|| format!("UDP from {} to {to}", from.name()))?;
        }
        Ok(())
    }

    fn tcp(&self, from: &Netns, to: IpAddr, device: Option<&str>) -> Result<()> {
        let listener = self.router.enter(|| Ok(TcpListener::bind((to, 4001))?))?;
        let mut near = from.enter(|| {
            let socket = Socket::new(Domain::for_address((to, 4001).into()), Type::STREAM, None)?;
            socket.bind_device(device.map(str::as_bytes))?;
            let to = SocketAddr::from((to, 4001));
            socket.connect_timeout(&to.into(), Duration::from_secs(5))?;
            Ok(TcpStream::from(socket))
        })?;
        let (mut far, _) = listener.accept()?;
        near.write_all(b"hello")?;
        far.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut bytes = [0; 5];
        far.read_exact(&mut bytes)?;
        Ok(())
    }

    fn udp(&self, from: &Netns, to: IpAddr, device: Option<&str>) -> Result<()> {
        let at = SocketAddr::from((to, 4002));
        let far = self.router.enter(|| Ok(StdUdpSocket::bind(at)?))?;
        far.set_read_timeout(Some(Duration::from_secs(5)))?;
        from.enter(|| {
            let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
            socket.bind_device(device.map(str::as_bytes))?;
            socket.send_to(b"hello", &at.into())?;
            Ok(())
        })?;
        far.recv(&mut [0; 5])?;
        Ok(())
    }

    fn tokens(&self, round: u32) -> Result<()> {
        let token = round + 1;
        self.host.ip(&format!("token set ::1:{token:x} dev eth0"))
    }

    /// On and off where no address is in use, and again what it is already.
    fn forwarding(&self, round: u32) -> Result<()> {
        self.router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        let third = round % 3;
        let address = Ipv6Addr::new(0xfd00, 11, 0, 0, 0, 0, 0, 1);
        match third {
            0 => {
                self.router.dummy("d0")?;
                self.router.ip(&format!("address add {address}/64 dev d0"))
            }
            1 => self.router.set_sysctl("ipv6/conf/d0/forwarding", "0"),
            _ => self.router.ip("link del d0"),
        }
    }
}
