//! Near misses: what goes, and what nobody asked for.

use std::net::{Ipv6Addr, SocketAddr};

use anyhow::{Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};

use super::{BEYOND, Host, NEIGHBOUR, OWN, ROUTER, To, Way, errno};
use crate::guest::{Tracing, ip_fails};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[scenario("no-route-not-what-goes", what_goes)];

/// By a longer prefix than that which rejects, past a throw route, on the link
/// from a link-local source, to groups, to itself; and what fails before a route
/// is asked for, or on behalf of somebody else.
fn what_goes() -> Result<()> {
    let host = Host::with_route("going")?;
    let netns = &host.netns;
    netns.ip("-6 route add unreachable 2001:db8::/32")?;
    netns.ip(&format!("-6 route add 2001:db8:7::/48 via {ROUTER} dev v0"))?;
    netns.ip("-6 route add throw 2001:db8:7::/48 table 100")?;
    netns.ip("-6 rule add priority 70 table 100")?;
    netns.ip("address add fd00:9::2/64 dev v0 nodad")?;
    netns.ip("-6 route add fd00:8::/64 dev v0")?;
    host.router.set_sysctl("ipv6/conf/all/forwarding", "1")?;
    host.router
        .ip(&format!("address add {NEIGHBOUR}/64 dev v1 nodad"))?;
    let scope = host.interface.ifindex;
    let tracer = Tracing::start()?;
    for way in [Way::Tcp, Way::Compare, Way::Udp] {
        for to in [
            To::from(BEYOND),
            To::from(NEIGHBOUR),
            To::from("fd00:8::1".parse::<Ipv6Addr>()?),
            To::by(BEYOND, "v0"),
            To::scoped(ROUTER, scope),
        ] {
            host.goes(way, to)?;
        }
        for to in [Ipv6Addr::LOCALHOST, OWN] {
            let found = host.tries(way, to)?;
            ensure!(matches!(found, 0 | libc::ECONNREFUSED), "{found}");
        }
    }
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    host.goes(Way::Udp, To::scoped(group, scope))?;
    // IPv4 within IPv6 is looked up as IPv4.
    netns.enter(|| {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        let to: SocketAddr = "[::ffff:192.0.2.1]:4000".parse()?;
        let found = errno(socket.connect(&to.into()))?;
        ensure!(found == libc::ENETUNREACH, "{found}");
        // Echoes are sent by ping sockets.
        let socket = Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::ICMPV6))?;
        let to: SocketAddr = format!("[{NEIGHBOUR}]:0").parse()?;
        socket.send_to(&[128, 0, 0, 0, 0, 1, 0, 1], &to.into())?;
        Ok(())
    })?;
    // Nobody sends anything.
    ip_fails(&netns.ip_words("-6 route get 2001:db8:66::1"))?;
    tracer.finish()?.silent()
}
