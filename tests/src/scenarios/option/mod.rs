//! Socket options of IPv6 that are refused.

mod interface;
mod other;
mod routing;
mod silent;

use std::ffi::c_int;
use std::io;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Uid, getuid};
use rustix::thread::set_thread_res_uid;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use super::Scenario;
use crate::guest::{Diagnosis, Expect, Link, Netns, Report, set_option};

/// The family.
pub(super) const SCENARIOS: &[&[Scenario]] = &[
    interface::SCENARIOS,
    routing::SCENARIOS,
    other::SCENARIOS,
    silent::SCENARIOS,
];

/// The name of whoever sets options.
const COMM: &str = "optd";

/// An index that no interface has had.
const NOBODY: u32 = 7777;

/// A namespace with two interfaces.
struct Host {
    netns: Netns,
    first: Link,
    second: Link,
}

impl Host {
    fn new(name: &str) -> Result<Self> {
        let netns = Netns::new(name)?;
        netns.ip("link set lo up")?;
        let first = netns.dummy("d0")?;
        let second = netns.dummy("d1")?;
        Ok(Self {
            netns,
            first,
            second,
        })
    }

    /// A socket of the program, which is prepared.
    fn socket(
        &self,
        kind: Type,
        prepare: impl FnOnce(&Socket) -> io::Result<()> + Send,
    ) -> Result<Socket> {
        self.netns.enter_as(COMM, || {
            let socket = Socket::new(Domain::IPV6, kind, None).context("cannot make a socket")?;
            prepare(&socket).context("cannot prepare the socket")?;
            Ok(socket)
        })
    }

    fn udp(&self) -> Result<Socket> {
        self.socket(Type::DGRAM, |_| Ok(()))
    }

    /// Sets an option as the program does.
    fn set<T: Sync>(&self, socket: &Socket, option: c_int, value: &T) -> Result<io::Result<()>> {
        self.netns.enter_as(COMM, || {
            Ok(set_option(socket, libc::IPPROTO_IPV6, option, value))
        })
    }

    /// Checks that it is refused for this reason.
    fn refused<T: Sync>(
        &self,
        socket: &Socket,
        option: c_int,
        value: &T,
        errno: c_int,
    ) -> Result<()> {
        is_refused(self.set(socket, option, value)?, errno)
    }

    /// The same for somebody without capabilities.
    fn refused_nobody<T: Sync>(
        &self,
        socket: &Socket,
        option: c_int,
        value: &T,
        errno: c_int,
    ) -> Result<()> {
        let done = self.netns.enter_as(COMM, || {
            // Root is not for good, and is not lost with the thread.
            let (root, nobody) = (getuid(), Uid::from_raw(65534));
            set_thread_res_uid(root, nobody, root).context("cannot become nobody")?;
            Ok(set_option(socket, libc::IPPROTO_IPV6, option, value))
        })?;
        is_refused(done, errno)
    }

    /// What holds whatever was refused.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis, option: &str, errno: &str) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", "set-option")
            .field("errno", errno)
            .field("netns", self.netns.inode())
            .field("comm", COMM)
            .evidence("option", option)
            .summary_has([COMM, errno])
    }
}

fn is_refused(done: io::Result<()>, errno: c_int) -> Result<()> {
    match done {
        Ok(()) => bail!("the kernel refuses nothing"),
        Err(error) if error.raw_os_error() == Some(errno) => Ok(()),
        Err(error) => bail!("the kernel says {error}"),
    }
}

/// The one diagnosis of a cause with this evidence.
fn with<'r>(report: &'r Report, cause: &str, evidence: &[(&str, Value)]) -> Result<&'r Diagnosis> {
    let mut found = report.diagnoses.iter().filter(|diagnosis| {
        let has = |(name, value): &(&str, Value)| {
            diagnosis.evidence(name) == Some(value) || diagnosis.field(name) == value
        };
        diagnosis.cause() == cause && evidence.iter().all(has)
    });
    let one = found.next();
    ensure!(
        found.next().is_none(),
        "several of {cause} with {evidence:?}"
    );
    one.with_context(|| format!("no {cause} with {evidence:?} in {:#?}", report.diagnoses))
}
