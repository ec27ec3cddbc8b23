//! Addresses that somebody was using when this host took them.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rustix::process::Signal;
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{FIRST, Pair};
use crate::guest::{Diagnosis, Tracer, Unloaded};
use crate::scenarios::{Scenario, alone, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("subnet-router-anycast-neighbour", neighbour),
    scenario("subnet-router-anycast-neighbour-never-asked", never_asked),
    scenario("subnet-router-anycast-tcp", tcp),
    alone("subnet-router-anycast-tcp-without-modules", without_modules),
    scenario("subnet-router-anycast-vrf", vrf),
    alone("subnet-router-anycast-vrf-gone-at-once", gone_at_once),
    scenario("subnet-router-anycast-gateway", gateway),
];

const PORT: u16 = 5179;

/// The uses of one kind.
fn used_by(diagnosis: &Diagnosis, kind: &str) -> Vec<String> {
    let uses = diagnosis.evidence("used_by").and_then(Value::as_array);
    uses.into_iter()
        .flatten()
        .filter(|found| found["kind"] == kind)
        .filter_map(|found| Some(found["detail"].as_str()?.to_owned()))
        .collect()
}

fn neighbour() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.ping()?;
    let report = pair.take("all")?;
    let diagnosis = report.only("subnet-router-anycast")?;
    let neighbours = used_by(diagnosis, "neighbour");
    let is_it = neighbours.len() == 1 && neighbours[0].starts_with(&pair.neighbour()?);
    pair.expect_of_write(diagnosis, "fd00:4::", "all")
        .field("severity", "hazard")
        .field("operation", "anycast-join")
        .evidence("prefix_len", 64)
        .evidence("forwarding", 1)
        .evidence("all_forwarding", 1)
        .evidence("vrf", Value::Null)
        .that(is_it, format!("another neighbour: {neighbours:?}"))
        .that(used_by(diagnosis, "tcp").is_empty(), "there is no TCP")
        .summary_has(["fd00:4::/64"])
        .summary_has_none_of(&["VRF", "TCP", "keep forwarding"])
        .some_fix_has("net/ipv6/conf/v0/forwarding=0")
        .some_fix_has("/127")
        .some_fix_has("peer fd00:4:: dev v0")
        .that(
            has_force_forwarding(diagnosis) == pair.near.has_sysctl(FORCE)?,
            "force_forwarding is offered where the kernel lacks it, or not where it has it",
        )
        .check()?;
    // And the fix that needs nothing of the neighbour is one.
    pair.forward("v0", "0")?;
    pair.wait_for(FIRST, false)?;
    pair.ping()
}

/// A neighbour that nobody has to ask, as EVPN puts into the table.
fn never_asked() -> Result<()> {
    let pair = Pair::in_subnet()?;
    let mac = pair.neighbour()?;
    pair.near
        .ip(&format!("neigh add fd00:4:: lladdr {mac} dev v0 nud noarp"))?;
    let report = pair.take("v0")?;
    let diagnosis = report.only("subnet-router-anycast")?;
    pair.expect_of_write(diagnosis, "fd00:4::", "v0")
        .field("severity", "hazard")
        .that(
            used_by(diagnosis, "neighbour") == [format!("{mac} on v0 (NOARP)")],
            "another neighbour",
        )
        .summary_has([mac.as_str()])
        .check()
}

const FORCE: &str = "ipv6/conf/v0/force_forwarding";

fn has_force_forwarding(diagnosis: &Diagnosis) -> bool {
    let fixes = diagnosis.fixes();
    fixes.iter().any(|fix| fix.contains("force_forwarding"))
}

/// A session as a BGP daemon has it.
struct Session {
    near: TcpStream,
    far: TcpStream,
}

impl Session {
    /// Both ends; the near one within `device`, where there is one.
    fn open(pair: &Pair, device: Option<&str>) -> Result<Self> {
        Self::open_to(FIRST, pair, device)
    }

    fn open_to(address: Ipv6Addr, pair: &Pair, device: Option<&str>) -> Result<Self> {
        let to = SocketAddr::from((address, PORT));
        let listener = pair.far.enter(|| Ok(TcpListener::bind(to)?))?;
        let near = pair.near.enter(|| {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
            socket.bind_device(device.map(str::as_bytes))?;
            let limit = Duration::from_secs(5);
            socket
                .connect_timeout(&to.into(), limit)
                .context("cannot connect to the neighbour")?;
            Ok(TcpStream::from(socket))
        })?;
        let (far, _) = listener.accept()?;
        Ok(Self { near, far })
    }

    /// How v6trace has to describe it.
    fn described(&self) -> Result<String> {
        self.described_as("ESTABLISHED")
    }

    fn described_as(&self, state: &str) -> Result<String> {
        Ok(format!(
            "guest[{}] [fd00:4::5]:{} to port {PORT} ({state})",
            std::process::id(),
            self.near.local_addr()?.port()
        ))
    }
}

/// Outside a VRF the session may live on, so nothing is promised.
fn tcp() -> Result<()> {
    let pair = Pair::in_subnet()?;
    let session = Session::open(&pair, None)?;
    let report = pair.take("all")?;
    let diagnosis = report.only("subnet-router-anycast")?;
    let process = format!("guest[{}]", std::process::id());
    pair.expect_of_write(diagnosis, "fd00:4::", "all")
        .field("severity", "hazard")
        .that(
            used_by(diagnosis, "tcp") == [session.described()?],
            "another connection",
        )
        .that(
            used_by(diagnosis, "neighbour").len() == 1,
            "no neighbour is named",
        )
        .summary_has([process.as_str(), "reset"])
        .summary_has_one_of(&["may go on"])
        .summary_has_none_of(&["VRF"])
        .check()
}

/// In a VRF the session ends at once; one outside it to the same address is
/// none of its business.
fn vrf() -> Result<()> {
    let pair = Pair::in_vrf()?;
    let session = Session::open(&pair, Some("red"))?;
    let report = pair.take("v0")?;
    let diagnosis = report.only("subnet-router-anycast")?;
    pair.expect_of_write(diagnosis, "fd00:4::", "v0")
        .field("severity", "hazard")
        .evidence("vrf", "red")
        .evidence("all_forwarding", 0)
        .that(
            used_by(diagnosis, "tcp") == [session.described()?],
            "another connection",
        )
        .summary_has(["VRF", "red"])
        .summary_has_none_of(&["may go on"])
        .check()?;
    // It is as the summary says: nothing that is written arrives.
    let mut far = &session.far;
    far.set_read_timeout(Some(Duration::from_millis(700)))?;
    (&session.near).write_all(b"x")?;
    let mut byte = [0];
    let read = far.read(&mut byte);
    ensure!(read.is_err(), "the session still works: {read:?}");
    Ok(())
}

/// A host that listens on the port itself resets the session with the first
/// segment, here before v6trace can look. One that ends meanwhile and leads
/// elsewhere has nothing to do with it.
fn gone_at_once() -> Result<()> {
    let pair = Pair::in_vrf()?;
    pair.far.ip("address add fd00:4::2/64 dev w0 nodad")?;
    let _listener = pair.near.enter(|| {
        let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        socket.bind_device(Some(b"red"))?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT)).into())?;
        socket.listen(1)?;
        Ok(socket)
    })?;
    let session = Session::open(&pair, Some("red"))?;
    let other = Session::open_to(
        Ipv6Addr::new(0xfd00, 4, 0, 0, 0, 0, 0, 2),
        &pair,
        Some("red"),
    )?;
    let tracer = Tracer::start(&[])?;
    // On a busy machine it is ready before it has looked once for connections.
    sleep(Duration::from_secs(1));
    tracer.signal(Signal::STOP)?;
    pair.forward("v0", "1")?;
    pair.wait_for(FIRST, true)?;
    drop(other);
    (&session.near).write_all(b"x")?;
    let mut near = &session.near;
    near.set_read_timeout(Some(Duration::from_secs(20)))?;
    let read = near.read(&mut [0]);
    let kind = read.as_ref().map_err(std::io::Error::kind);
    ensure!(
        kind == Err(ErrorKind::ConnectionReset),
        "the session was not reset: {read:?}"
    );
    tracer.signal(Signal::CONT)?;
    let report = tracer.finish()?;
    report.complete()?;
    let diagnosis = report.only("subnet-router-anycast")?;
    let process = format!("guest[{}]", std::process::id());
    pair.expect_of_write(diagnosis, "fd00:4::", "v0")
        .field("severity", "hazard")
        .evidence("vrf", "red")
        .that(
            used_by(diagnosis, "tcp") == [session.described_as("ESTABLISHED before, gone since")?],
            "another connection",
        )
        .summary_has([process.as_str(), "was gone", "VRF", "red", "reset"])
        .summary_has_none_of(&["times out", "may go on"])
        .check()
}

/// A hardened host loads no modules, and those that list sockets over netlink
/// are not there: the sessions are named all the same, the right one in a VRF.
fn without_modules() -> Result<()> {
    let _unloaded = Unloaded::new(&["tcp_diag", "udp_diag", "inet_diag"])?;
    let loaded = fs::read_to_string("/proc/modules")?;
    ensure!(!loaded.contains("tcp_diag"), "tcp_diag is still there");
    tcp()?;
    vrf()?;
    gone_at_once()
}

/// Routes by way of it, of both families, and a neighbour that nobody asked.
fn gateway() -> Result<()> {
    let pair = Pair::in_subnet()?;
    pair.near
        .ip("-6 route add fd00:7::/48 via fd00:4:: dev v0")?;
    pair.near
        .ip("-6 route add fd00:8::/48 via fd00:4::9 dev v0")?;
    pair.near
        .ip("route add 10.9.0.0/16 via inet6 fd00:4:: dev v0")?;
    let report = pair.take("all")?;
    pair.expect_of_write(report.only("subnet-router-anycast")?, "fd00:4::", "all")
        .field("severity", "hazard")
        .evidence(
            "used_by",
            json!([
                {"kind": "gateway", "detail": "fd00:7::/48 dev v0"},
                {"kind": "gateway", "detail": "10.9.0.0/16 dev v0"},
            ]),
        )
        .summary_has_one_of(&["keep forwarding"])
        .check()
}
