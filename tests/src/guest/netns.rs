//! Network namespaces, as `ip netns` makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::net::Ipv6Addr;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use netlink_packet_route::link::{LinkAttribute, State};
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_bind, mount_change, unmount};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

use super::{Link, Netlink, ip, iproute, tracing};

/// Where iproute2 keeps the names of network namespaces.
const NAMES: &str = "/run/netns";

/// How long a carrier may take to be noticed.
const CARRIER: Duration = Duration::from_secs(5);

/// A named network namespace, deleted on drop; or the first one of the host.
///
/// The kernel keeps a deleted one alive while sockets in it are open.
#[derive(Debug)]
pub(crate) struct Netns {
    /// None is the namespace this process started in.
    name: Option<String>,
    inode: u64,
}

impl Netns {
    /// Makes an empty namespace; not even its loopback is up. In a batch of scenarios
    /// its name is longer, so that it is the only one of that name.
    pub(crate) fn new(name: &str) -> Result<Self> {
        Self::made(name, add)
    }

    /// The same by `ip netns add`, for what rests on how that does it.
    pub(crate) fn by_ip(name: &str) -> Result<Self> {
        Self::made(name, |name| iproute::ip_once(&format!("netns add {name}")))
    }

    fn made(name: &str, add: impl FnOnce(&str) -> Result<()>) -> Result<Self> {
        let name = match tracing::number() {
            Some(number) => format!("{name}-{number}"),
            None => name.to_owned(),
        };
        add(&name).with_context(|| format!("cannot make the namespace {name}"))?;
        let inode = fs::metadata(named(&name))?.ino();
        made().since.insert(inode, tracing::since_boot()?);
        Ok(Self {
            name: Some(name),
            inode,
        })
    }

    /// The namespace that the scenario itself runs in.
    pub(crate) fn host() -> Result<Self> {
        let inode = fs::metadata("/proc/self/ns/net")
            .context("cannot read this process's own namespace")?
            .ino();
        Ok(Self { name: None, inode })
    }

    /// Its name, empty for the host's.
    pub(crate) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The inode number by which the kernel's tools know it.
    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// Takes its name away by `ip netns del`, so that only what is in it keeps it alive.
    pub(crate) fn forget_name(&self) -> Result<()> {
        iproute::leave(self.name());
        iproute::ip_once(&format!("netns del {}", self.name()))
    }

    /// Has nobody live in it any more for having run `ip` there.
    pub(crate) fn clear(&self) {
        iproute::leave(self.name());
    }

    /// Runs `work` in this namespace, on a thread of its own so that the rest
    /// of the process stays where it is.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.enter_as("guest", work)
    }

    /// The same on a thread called `comm`, which is what the kernel calls it.
    pub(crate) fn enter_as<T: Send>(
        &self,
        comm: &str,
        work: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        on_a_thread(comm, || {
            self.switch()?;
            work()
        })
    }

    /// Moves the calling thread here.
    fn switch(&self) -> Result<()> {
        self.name.as_deref().map_or(Ok(()), switch)
    }

    /// Runs `ip` here.
    pub(crate) fn ip(&self, words: &str) -> Result<()> {
        ip(&self.ip_words(words))
    }

    /// Waits until what is sent by an interface goes out: the kernel notices its carrier
    /// a moment after its other end is set up, and drops it until then.
    pub(crate) fn carries(&self, interface: &str) -> Result<()> {
        let is_up = LinkAttribute::OperState(State::Up);
        let what = format!("{interface} should be there");
        Netlink::open(self)?.wait_for_link(interface, &what, CARRIER, |told| told.contains(&is_up))
    }

    /// The words that make `ip` do `words` here.
    pub(crate) fn ip_words(&self, words: &str) -> String {
        match &self.name {
            Some(name) => format!("-n {name} {words}"),
            None => words.to_owned(),
        }
    }

    /// Adds a dummy interface, administratively up.
    pub(crate) fn dummy(&self, name: &str) -> Result<Link> {
        self.ip(&format!("link add {name} up type dummy"))?;
        Link::find(self, name)
    }

    /// Adds a dummy interface with an index of the caller's choice, up.
    pub(crate) fn dummy_with_index(&self, name: &str, ifindex: u32) -> Result<Link> {
        self.ip(&format!("link add {name} index {ifindex} up type dummy"))?;
        Link::find(self, name)
    }

    /// The interfaces on which someone, the kernel included, has joined `group`.
    pub(crate) fn joined_on(&self, group: Ipv6Addr) -> Result<BTreeSet<String>> {
        let table = self.enter(|| {
            fs::read_to_string("/proc/thread-self/net/igmp6")
                .context("cannot read the namespace's table of groups")
        })?;
        let group = format!("{:032x}", u128::from(group));
        let interface = |line: &str| {
            let mut columns = line.split_whitespace().skip(1);
            let interface = columns.next()?;
            (columns.next()? == group).then(|| interface.to_owned())
        };
        Ok(table.lines().filter_map(interface).collect())
    }

    /// Reads a value below /proc/sys/net as this namespace has it.
    pub(crate) fn sysctl(&self, name: &str) -> Result<String> {
        let path = format!("/proc/sys/net/{name}");
        self.enter(|| {
            let value = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
            Ok(value.trim().to_owned())
        })
    }

    /// Writes a value below /proc/sys/net in this namespace.
    pub(crate) fn set_sysctl(&self, name: &str, value: &str) -> Result<()> {
        let path = format!("/proc/sys/net/{name}");
        self.enter(|| {
            fs::write(&path, value).with_context(|| format!("cannot write {value} to {path}"))
        })
    }

    /// One of the counters of its IPv6 stack.
    pub(crate) fn counter(&self, name: &str) -> Result<u64> {
        let table = self.enter(|| {
            fs::read_to_string("/proc/thread-self/net/snmp6").context("cannot read the counters")
        })?;
        let mut lines = table.lines().map(str::split_whitespace);
        let line = lines.find_map(|mut words| (words.next() == Some(name)).then_some(words));
        let count = line.and_then(|mut words| words.next());
        Ok(count.with_context(|| format!("no {name}"))?.parse()?)
    }

    /// Whether this namespace has a value of that name below /proc/sys/net.
    pub(crate) fn has_sysctl(&self, name: &str) -> Result<bool> {
        let path = PathBuf::from(format!("/proc/sys/net/{name}"));
        self.enter(|| Ok(path.try_exists()?))
    }
}

/// The namespaces that this process made.
struct Made {
    /// When each was, in nanoseconds since boot, by inode number.
    since: BTreeMap<u64, u64>,
    /// Those that were deleted since tracing began; None: there is no tracing.
    deleted: Option<Vec<u64>>,
}

fn made() -> MutexGuard<'static, Made> {
    static MADE: Mutex<Made> = Mutex::new(Made {
        since: BTreeMap::new(),
        deleted: None,
    });
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tracing begins: who deletes a namespace from now on still has to do with what is
/// reported of it.
pub(super) fn keep_traced() {
    made().deleted = Some(Vec::new());
}

/// Tracing ends: the namespaces that this process made and that were there meanwhile,
/// and when they were made, in nanoseconds since boot.
pub(super) fn traced() -> BTreeMap<u64, u64> {
    let mut made = made();
    let traced = made.since.clone();
    for inode in made.deleted.take().into_iter().flatten() {
        made.since.remove(&inode);
    }
    traced
}

impl Drop for Netns {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let mut made = made();
            if let Some(deleted) = &mut made.deleted {
                deleted.push(self.inode);
            } else {
                made.since.remove(&self.inode);
            }
            drop(made);
            iproute::leave(name);
            // PID 1 sweeps what could not be deleted.
            let _ = delete(name);
        }
    }
}

/// Moves the calling thread into the namespace `name`.
pub(super) fn switch(name: &str) -> Result<()> {
    let file = File::open(named(name)).with_context(|| format!("cannot open netns {name}"))?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
        .with_context(|| format!("cannot enter netns {name}"))
}

/// Makes a namespace and gives it a name, as `ip netns add` does, where starting `ip`
/// would take longer than all that.
fn add(name: &str) -> Result<()> {
    share_names().context("cannot share the directory of names")?;
    File::create_new(named(name))?;
    on_a_thread("guest", || {
        // SAFETY: A network namespace is no part of what makes threads share memory or
        // descriptors; this thread alone gets another, and ends.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }?;
        Ok(mount_bind("/proc/thread-self/ns/net", named(name))?)
    })
}

/// Makes the directory of names what the first `ip netns add` makes of it: a mount that
/// others share, so that a name which is taken away here is gone everywhere.
fn share_names() -> Result<()> {
    fs::create_dir_all(NAMES)?;
    if mount_change(NAMES, MountPropagationFlags::SHARED).is_err() {
        mount_bind(NAMES, NAMES)?;
        mount_change(NAMES, MountPropagationFlags::SHARED)?;
    }
    Ok(())
}

/// Takes the name of a namespace away, as `ip netns del` does.
fn delete(name: &str) -> Result<()> {
    // Not mounted is fine: then the file alone was left.
    let _ = unmount(named(name), UnmountFlags::DETACH);
    fs::remove_file(named(name)).with_context(|| format!("cannot delete the name {name}"))
}

fn named(name: &str) -> PathBuf {
    PathBuf::from(NAMES).join(name)
}

/// Does `work` on a thread of its own, called `comm`: where that goes, the rest of the
/// process does not.
pub(super) fn on_a_thread<T: Send>(
    comm: &str,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new()
            .name(comm.to_owned())
            .spawn_scoped(scope, work)
            .context("cannot start a thread")?;
        match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
