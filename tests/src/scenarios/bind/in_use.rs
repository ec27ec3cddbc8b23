//! Ports that another socket has.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_res_uid;
use socket2::{Domain, Socket, Type};

use super::{Host, PORT, STAYS, refused};
use crate::guest::{Diagnosis, Netns, Report, traced};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("bind-address-in-use", in_use),
    scenario("bind-address-in-use-sharing", sharing),
    scenario("bind-address-in-use-several", several),
    scenario("bind-address-in-use-not", not),
];

/// The port of a service.
const SERVICE: u16 = 80;

const ANY: Ipv6Addr = Ipv6Addr::UNSPECIFIED;

/// A process of another name that has a socket open, and ends with this.
struct Holder {
    process: Child,
}

impl Holder {
    const COMM: &'static str = "sleep";

    fn of(socket: Socket) -> Result<Self> {
        let process = Command::new(Self::COMM)
            .arg("60")
            .stdin(Stdio::from(OwnedFd::from(socket)))
            .spawn()
            .context("cannot start the other process")?;
        Ok(Self { process })
    }

    fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A socket that is bound, and listens where it can.
fn has(
    host: &Host,
    kind: Type,
    address: SocketAddr,
    prepare: impl FnOnce(&Socket) -> std::io::Result<()> + Send,
) -> Result<Socket> {
    host.netns.enter(|| {
        let socket = Socket::new(Domain::for_address(address), kind, None)?;
        prepare(&socket)?;
        socket.bind(&address.into())?;
        if kind == Type::STREAM {
            socket.listen(1)?;
        }
        Ok(socket)
    })
}

fn held(host: &Host, kind: Type, address: impl Into<SocketAddr>) -> Result<Holder> {
    Holder::of(has(host, kind, address.into(), |_| Ok(()))?)
}

/// What is said of a port.
fn of_port(report: &Report, port: u16) -> Result<&Diagnosis> {
    let mut found = report.diagnoses.iter().filter(|diagnosis| {
        diagnosis.cause() == "bind-address-in-use"
            && diagnosis.evidence("port") == Some(&port.into())
    });
    let one = found.next();
    ensure!(found.next().is_none(), "several about port {port}");
    one.with_context(|| format!("nothing about port {port} in {:#?}", report.diagnoses))
}

/// Each way in which addresses have each other in them.
fn in_use() -> Result<()> {
    const MAPPED: Ipv6Addr = Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1);
    let host = Host::new("in-use", "v0")?;
    let v6 = |address, port| SocketAddrV6::new(address, port, 0, 0);
    let cases = [
        (Type::STREAM, v6(STAYS, PORT).into(), STAYS, "same-address"),
        (
            Type::DGRAM,
            v6(ANY, PORT + 1).into(),
            STAYS,
            "holder-has-all",
        ),
        (
            Type::STREAM,
            v6(STAYS, PORT + 2).into(),
            ANY,
            "asked-for-all",
        ),
        (
            Type::STREAM,
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, SERVICE)),
            ANY,
            "asked-for-ipv4-as-well",
        ),
        (
            Type::DGRAM,
            v6(ANY, PORT + 3).into(),
            MAPPED,
            "holder-has-ipv4-as-well",
        ),
    ];
    let mut holders = Vec::new();
    for (kind, address, ..) in cases {
        holders.push(held(&host, kind, address)?);
    }
    let report = traced(|| {
        for (kind, address, asked, _) in cases {
            let bound = host.bind_with(kind, asked, address.port(), 0, |_| Ok(()))?;
            refused(bound, libc::EADDRINUSE)?;
        }
        Ok(())
    })?;
    report.count(cases.len())?;
    for ((_, address, asked, conflict), holder) in cases.iter().zip(&holders) {
        let diagnosis = of_port(&report, address.port())?;
        let is_service = address.port() == SERVICE;
        host.expect(diagnosis, "EADDRINUSE", *asked)
            .field("severity", if is_service { "failure" } else { "notice" })
            .field("confidence", "certain")
            .evidence("conflict", *conflict)
            .evidence("holder", Holder::COMM)
            .evidence("holder_pid", holder.pid())
            .evidence("holder_address", address.ip().to_string())
            .evidence("holder_uid", 0)
            .evidence("sk_reuse", false)
            .evidence("sk_reuseport", false)
            .evidence("sk_uid", 0)
            .evidence("v6only", false)
            .summary_has([Holder::COMM])
            .check()?;
    }
    // Nobody keeps anybody from IPv6 alone.
    let diagnosis = of_port(&report, SERVICE)?;
    diagnosis.follow("bindv6only=1")?;
    host.bind_with(Type::STREAM, ANY, SERVICE, 0, |_| Ok(()))?
        .context("the fix does not help")?;
    host.rest_stays()
}

/// Ports that both would share, if the one or the other did something else; and
/// one that a closed connection has.
fn sharing() -> Result<()> {
    let host = Host::new("sharing", "v0")?;
    let at = |port| SocketAddr::from(SocketAddrV6::new(ANY, port, 0, 0));
    let shares = |socket: &Socket| socket.set_reuse_port(true);
    let reuses = |socket: &Socket| socket.set_reuse_address(true);
    let of_nobody = host.netns.enter(|| {
        let root = getuid();
        set_thread_res_uid(root, Uid::from_raw(65534), root).context("cannot become nobody")?;
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, None)?;
        shares(&socket)?;
        socket.bind(&at(PORT).into())?;
        Ok(socket)
    })?;
    let other_user = Holder::of(of_nobody)?;
    let without = held(&host, Type::DGRAM, at(PORT + 1))?;
    let listener = Holder::of(has(&host, Type::STREAM, at(PORT + 2), reuses)?)?;
    let ended = PORT + 3;
    let _peer = closed_connection(&host, ended)?;
    let report = traced(|| {
        let tried = |kind, port, prepare: &(dyn Fn(&Socket) -> std::io::Result<()> + Sync)| {
            refused(
                host.bind_with(kind, ANY, port, 0, prepare)?,
                libc::EADDRINUSE,
            )
        };
        tried(Type::DGRAM, PORT, &shares)?;
        tried(Type::DGRAM, PORT + 1, &shares)?;
        tried(Type::STREAM, PORT + 2, &reuses)?;
        tried(Type::STREAM, ended, &|_| Ok(()))
    })?;
    report.count(4)?;
    let expect = |port| -> Result<_> {
        let diagnosis = of_port(&report, port)?;
        Ok(host
            .expect(diagnosis, "EADDRINUSE", ANY)
            .field("severity", "notice")
            .evidence("conflict", "same-address"))
    };
    expect(PORT)?
        .field("confidence", "certain")
        .evidence("holder_pid", other_user.pid())
        .evidence("holder_uid", 65534)
        .evidence("sk_uid", 0)
        .evidence("sk_reuseport", true)
        .summary_has(["SO_REUSEPORT", "65534"])
        .check()?;
    expect(PORT + 1)?
        .field("confidence", "likely")
        .evidence("holder_pid", without.pid())
        .evidence("sk_reuseport", true)
        .summary_has(["SO_REUSEPORT", "most likely"])
        .check()?;
    expect(PORT + 2)?
        .field("confidence", "certain")
        .evidence("holder_pid", listener.pid())
        .evidence("sk_reuse", true)
        .evidence("holder_state", 10)
        .check()?;
    host.expect(of_port(&report, ended)?, "EADDRINUSE", ANY)
        .field("severity", "notice")
        .field("confidence", "certain")
        .evidence("holder", serde_json::Value::Null)
        .evidence("conflict", "asked-for-all")
        .summary_has(["TIME_WAIT", "SO_REUSEADDR"])
        .some_fix_has("SO_REUSEADDR")
        .check()?;
    // That fix, which is no command.
    host.bind_with(Type::STREAM, ANY, ended, 0, reuses)?
        .context("SO_REUSEADDR does not help")?;
    Ok(())
}

/// Ports that several sockets have: of both families, each for itself; and of which
/// one at least does not share.
fn several() -> Result<()> {
    let host = Host::new("several", "v0")?;
    let at = |address, port| SocketAddr::from(SocketAddrV6::new(address, port, 0, 0));
    let shares = |socket: &Socket| socket.set_reuse_port(true);
    let alone = |socket: &Socket| socket.set_only_v6(true);
    let of_ipv4 = held(&host, Type::STREAM, (Ipv4Addr::UNSPECIFIED, SERVICE))?;
    let of_ipv6 = Holder::of(has(&host, Type::STREAM, at(ANY, SERVICE), alone)?)?;
    let without = held(&host, Type::DGRAM, at(STAYS, PORT))?;
    let sharing = Holder::of(has(
        &host,
        Type::DGRAM,
        at(Ipv6Addr::LOCALHOST, PORT),
        shares,
    )?)?;
    let report = traced(|| {
        let service = host.bind_with(Type::STREAM, ANY, SERVICE, 0, |_| Ok(()))?;
        refused(service, libc::EADDRINUSE)?;
        let several = host.bind_with(Type::DGRAM, ANY, PORT, 0, shares)?;
        refused(several, libc::EADDRINUSE)
    })?;
    report.count(2)?;
    let both = of_port(&report, SERVICE)?;
    host.expect(both, "EADDRINUSE", ANY)
        .field("severity", "failure")
        .field("confidence", "certain")
        .evidence("conflict", "same-address")
        .evidence("holder_pid", of_ipv6.pid())
        .check()?;
    // For IPv6 alone it is refused just as well.
    ensure!(
        !both.fixes().iter().any(|fix| fix.contains("v6only")),
        "what does not help is told"
    );
    let tried = host.bind_with(Type::STREAM, ANY, SERVICE, 0, alone)?;
    refused(tried, libc::EADDRINUSE)?;
    let names = [without.pid(), sharing.pid()].map(|pid| format!("sleep (pid {pid})"));
    let candidates = of_port(&report, PORT)?;
    host.expect(candidates, "EADDRINUSE", ANY)
        .field("severity", "notice")
        .field("confidence", "likely")
        .evidence("sk_reuseport", true)
        .summary_has(names)
        .check()?;
    drop(of_ipv4);
    Ok(())
}

/// A connection to ::1 that the port's end, a server, closed first; the other end.
fn closed_connection(host: &Host, port: u16) -> Result<Socket> {
    host.netns.enter(|| {
        let at = SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0);
        let listener = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        listener.set_reuse_address(true)?;
        listener.bind(&at.into())?;
        listener.listen(1)?;
        let client = Socket::new(Domain::IPV6, Type::STREAM, None)?;
        client.connect(&at.into())?;
        let (accepted, _) = listener.accept()?;
        drop((accepted, listener));
        // The end of its stream; then its own.
        let mut end = [std::mem::MaybeUninit::uninit(); 1];
        ensure!(client.recv(&mut end)? == 0, "there was something to read");
        client.shutdown(std::net::Shutdown::Both)?;
        Ok(client)
    })
}

/// Programs that try ports, and sockets that are in nobody's way: nothing fails.
fn not() -> Result<()> {
    let host = Host::new("not-in-use", "v0")?;
    let other = Netns::new("elsewhere")?;
    let at = |port| SocketAddr::from(SocketAddrV6::new(ANY, port, 0, 0));
    let shares = |socket: &Socket| socket.set_reuse_port(true);
    let alone = |socket: &Socket| socket.set_only_v6(true);
    let own = has(&host, Type::STREAM, at(PORT), |_| Ok(()))?;
    let held = held(&host, Type::STREAM, at(PORT + 1))?;
    let of_many = Holder::of(has(&host, Type::DGRAM, at(PORT + 10), shares)?)?;
    let ipv4 = (Ipv4Addr::UNSPECIFIED, PORT + 11);
    let of_ipv4 = self::held(&host, Type::DGRAM, ipv4)?;
    let on_lo = Holder::of(has(&host, Type::DGRAM, at(PORT + 12), |socket| {
        socket.bind_device(Some(b"lo"))
    })?)?;
    let report = traced(|| {
        let free = |kind, port, prepare: &(dyn Fn(&Socket) -> std::io::Result<()> + Sync)| {
            let bound = host.bind_with(kind, ANY, port, 0, prepare)?;
            bound.with_context(|| format!("port {port} is free"))
        };
        let try_on = |from: u16| {
            let refused = (from..).take_while(|&port| {
                let tried = host.bind_with(Type::STREAM, ANY, port, 0, |_| Ok(()));
                tried.is_ok_and(|bound| bound.is_err())
            });
            refused.count()
        };
        ensure!(try_on(PORT) == 2, "other ports are taken");
        free(Type::DGRAM, PORT + 10, &shares)?;
        free(Type::DGRAM, PORT + 11, &alone)?;
        free(Type::DGRAM, PORT + 12, &|socket| {
            socket.bind_device(Some(b"v0"))
        })?;
        // The other protocol, and the other namespace.
        free(Type::DGRAM, PORT + 1, &|_| Ok(()))?;
        other.enter(|| {
            let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
            socket.bind(&at(PORT + 1).into())?;
            Ok(())
        })
    })?;
    // Of its own port a program knows.
    report.count(1)?;
    host.expect(of_port(&report, PORT + 1)?, "EADDRINUSE", ANY)
        .field("severity", "notice")
        .evidence("holder_pid", held.pid())
        .check()?;
    drop((own, of_many, of_ipv4, on_lo));
    Ok(())
}
