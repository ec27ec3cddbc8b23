//! Sockets that are refused a local address.

mod absent;
mod in_use;
mod off;
mod refused;
mod silent;
mod source;
mod tested;

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};

use anyhow::{Context as _, Result, bail, ensure};
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::guest::{AddressState, Diagnosis, Expect, Link, Netns, Report, Tracer};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    tested::SCENARIOS,
    absent::SCENARIOS,
    refused::SCENARIOS,
    in_use::SCENARIOS,
    source::SCENARIOS,
    silent::SCENARIOS,
];

/// Those that need a kernel without IPv6.
pub(super) const OFF: &[Scenario] = off::SCENARIOS;

/// An address that a service is to have.
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x31, 0, 0, 0, 0, 0, 7);
/// Another one, which stays.
const STAYS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x32, 0, 0, 0, 0, 0, 8);
/// A port that anybody may have.
const PORT: u16 = 5300;

/// Has v6trace take kprobes.
const BY_KPROBES: [&str; 2] = ["--btf", "/sys/kernel/btf/vmlinux"];

/// The name of whoever binds.
const COMM: &str = "served";

/// A namespace with lo, and a veth that is up at both ends.
struct Host {
    netns: Netns,
    interface: Link,
}

impl Host {
    fn new(name: &str, interface: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        netns.ip("link set lo up")?;
        netns.ip(&format!("link add {interface} type veth peer name peer"))?;
        netns.ip("link set peer addrgenmode none up")?;
        netns.ip(&format!("link set {interface} up"))?;
        netns.ip(&format!("address add {STAYS}/64 dev {interface} nodad"))?;
        let interface = Link::find(&netns, interface)?;
        Ok(Self { netns, interface })
    }

    /// An interface that is up, with nobody at its other end.
    fn without_carrier(&self, name: &str) -> Result<()> {
        self.netns
            .ip(&format!("link add {name} type veth peer name far-{name}"))?;
        self.netns
            .ip(&format!("link set far-{name} addrgenmode none"))?;
        self.netns.ip(&format!("link set {name} up"))
    }

    /// Lets an interface test its addresses in no time.
    fn quick(&self, name: &str) -> Result<()> {
        let delay = format!("ipv6/conf/{name}/router_solicitation_delay");
        self.netns.set_sysctl(&delay, "0")?;
        let wait = format!("ipv6/neigh/{name}/retrans_time_ms");
        self.netns.set_sysctl(&wait, "100")
    }

    fn name(&self) -> &str {
        &self.interface.name
    }

    /// What a service of this namespace does.
    fn serve<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.netns.enter_as(COMM, work)
    }

    /// Binds a UDP socket.
    fn bind(&self, address: Ipv6Addr, port: u16) -> Result<Result<Socket, io::Error>> {
        self.bind_with(Type::DGRAM, address, port, 0, |_| Ok(()))
    }

    /// Binds a socket that was prepared, with the interface `scope` of the address.
    fn bind_with(
        &self,
        kind: Type,
        address: Ipv6Addr,
        port: u16,
        scope: u32,
        prepare: impl FnOnce(&Socket) -> io::Result<()> + Send,
    ) -> Result<Result<Socket, io::Error>> {
        self.serve(|| {
            let socket = Socket::new(Domain::IPV6, kind, None).context("cannot make a socket")?;
            prepare(&socket).context("cannot prepare the socket")?;
            let address = SocketAddrV6::new(address, port, 0, scope);
            Ok(socket.bind(&address.into()).map(|()| socket))
        })
    }

    /// Checks that a service can have the address.
    fn binds(&self, address: Ipv6Addr) -> Result<()> {
        self.bind(address, PORT)?
            .with_context(|| format!("{address} cannot be bound"))?;
        Ok(())
    }

    /// Checks that it cannot, for this reason.
    fn is_refused(&self, address: Ipv6Addr, port: u16, errno: i32) -> Result<()> {
        refused(self.bind(address, port)?, errno)
    }

    /// What holds whatever refused the address.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, errno: &str, address: Ipv6Addr) -> Expect<'d> {
        self.expect_of(COMM, diagnosis, errno, address)
    }

    /// The same of another program.
    fn expect_of<'d>(
        &self,
        comm: &str,
        diagnosis: &'d Diagnosis,
        errno: &str,
        address: Ipv6Addr,
    ) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "bind")
            .field("errno", errno)
            .field("netns", self.netns.inode())
            .field("address", address.to_string())
            .field("comm", comm)
            .summary_has([comm, errno])
    }

    /// Checks that what is beside the address is still there.
    fn rest_stays(&self) -> Result<()> {
        let state = AddressState::of(&self.netns, self.name(), STAYS)?;
        ensure!(state == AddressState::Usable, "{STAYS} is {state:?}");
        Ok(())
    }
}

/// What v6trace says by kprobes while `work` is done: trampolines are not for BTF out of a file.
fn traced_by_kprobes(work: impl FnOnce() -> Result<()>) -> Result<Report> {
    let tracer = Tracer::start(&BY_KPROBES)?;
    work()?;
    let report = tracer.finish()?;
    report.complete()?;
    Ok(report)
}

/// Checks that the kernel refused a bind for this reason.
fn refused<T>(bound: Result<T, io::Error>, errno: i32) -> Result<()> {
    match bound {
        Ok(_) => bail!("the kernel refuses nothing"),
        Err(error) if error.raw_os_error() == Some(errno) => Ok(()),
        Err(error) => bail!("the kernel says {error}"),
    }
}

/// The one diagnosis of a cause about an address.
fn about<'r>(report: &'r Report, cause: &str, address: Ipv6Addr) -> Result<&'r Diagnosis> {
    let wanted = address.to_string();
    let mut found = report.diagnoses.iter().filter(|diagnosis| {
        diagnosis.cause() == cause && diagnosis.field("address") == wanted.as_str()
    });
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (one, _) => bail!(
            "{} of {cause} for {address} among {:#?}",
            if one.is_some() { "several" } else { "none" },
            report.diagnoses
        ),
    }
}
