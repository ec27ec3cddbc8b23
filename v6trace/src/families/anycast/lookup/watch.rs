//! TCP connections to addresses that this host would take, as they were before.
//!
//! A connection may end with the very segment that follows a change, before
//! anyone can look, and its process may have closed it by then. So a thread
//! looks now and then which connections lead to the first address of a subnet
//! that this host is in. It keeps the last two looks into each namespace: the
//! last may already be one from after the change.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    },
    thread,
    time::{Duration, Instant},
};

use super::connections::{self, Connection};
use crate::{
    clock,
    observe::{enter, inside, places::Places},
};

/// The least time between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// A look may take as long as it needs, but all of them together no more than
/// this part of one processor.
const SHARE: u32 = 200;

/// How long what was seen says something about a change.
const MEMORY: Duration = Duration::from_secs(30);

/// How long the first look is waited for: what is there when tracing begins
/// should be known by then, but a host may have thousands of namespaces.
const FIRST: Duration = Duration::from_millis(250);

/// Prefixes of this length and longer have no anycast address (RFC 6164, and a
/// single address).
const WITHOUT_ANYCAST: u8 = 127;

/// Looks now and then, until it is dropped. The default never looks.
#[derive(Debug, Default)]
pub(in super::super) struct Watch {
    /// Shared with the thread.
    seen: Arc<Mutex<Seen>>,
    /// Its end tells the thread to stop.
    _stop: Option<SyncSender<()>>,
}

/// Every namespace that was looked into: the last look and the one before.
type Seen = HashMap<u32, (Look, Look)>;

/// What was seen in a namespace, and when.
#[derive(Debug, Default)]
struct Look {
    /// When it was over, nanoseconds since boot.
    boot_ns: u64,
    connections: Vec<Connection>,
}

impl Watch {
    /// Begins to look, and waits a moment until that was done once.
    ///
    /// To be called when everything else is open: from the first thread on, the
    /// kernel waits for a grace period whenever it makes room for more files.
    pub(in super::super) fn begin() -> Self {
        let seen = Arc::default();
        let (stop, stopped) = mpsc::sync_channel(0);
        let (first, looked) = mpsc::sync_channel(1);
        let shared = Arc::clone(&seen);
        let thread = thread::Builder::new()
            .name("v6trace-watch".to_owned())
            .spawn(move || watch(&shared, &stopped, &first));
        if let Err(error) = thread {
            log::debug!("connections are not watched: {error}");
        }
        // Without a thread there is nothing to wait for.
        let _ = looked.recv_timeout(FIRST);
        Self {
            seen,
            _stop: Some(stop),
        }
    }

    /// What led to `address` of a namespace at the last look before `boot_ns`,
    /// and when that was; nothing if it was too long before.
    pub(super) fn before(
        &self,
        boot_ns: u64,
        netns: u32,
        address: Ipv6Addr,
    ) -> Option<(u64, Vec<Connection>)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, before) = seen.get(&netns)?;
        let look = [last, before]
            .into_iter()
            .find(|look| look.boot_ns < boot_ns)?;
        let age = Duration::from_nanos(boot_ns - look.boot_ns);
        let leading = look.connections.iter().filter(|one| one.leads_to(address));
        (age <= MEMORY).then(|| (look.boot_ns, leading.cloned().collect()))
    }
}

fn watch(seen: &Mutex<Seen>, stopped: &Receiver<()>, first: &SyncSender<()>) {
    let mut pause = Duration::ZERO;
    while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let began = Instant::now();
        let looks = look();
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|netns, _| looks.contains_key(netns));
        for (netns, look) in looks {
            let (last, before) = seen.entry(netns).or_default();
            *before = std::mem::replace(last, look);
        }
        drop(seen);
        // Of later ones nobody wants to hear.
        let _ = first.try_send(());
        pause = PAUSE.max(began.elapsed() * SHARE);
    }
}

/// Looks into every namespace that may be entered.
fn look() -> HashMap<u32, Look> {
    let places = Places::find();
    let mut looks = HashMap::new();
    for netns in places.inodes() {
        match enter::within(netns, &places.paths(netns), look_here) {
            Ok(connections) => {
                let boot_ns = clock::boot_ns();
                looks.insert(
                    netns,
                    Look {
                        boot_ns,
                        connections,
                    },
                );
            }
            Err(error) => log::trace!("connections in {netns}: {error}"),
        }
    }
    connections::name_processes(looks.values_mut().flat_map(|look| &mut look.connections));
    looks
}

/// Looks into the namespace of the calling thread.
fn look_here() -> io::Result<Vec<Connection>> {
    let own = inside::addresses()?;
    let firsts: HashSet<_> = own
        .iter()
        .filter_map(|held| match held.address {
            IpAddr::V6(address) => first_of_subnet(address, held.prefix_len),
            IpAddr::V4(_) => None,
        })
        .collect();
    if firsts.is_empty() || !has_sockets() {
        return Ok(Vec::new());
    }
    connections::established_to(&firsts)
}

/// Whether the namespace of the calling thread has any socket of TCP over IPv6:
/// without, the kernel need not load what lists them.
fn has_sockets() -> bool {
    let counts = fs::read_to_string("/proc/thread-self/net/sockstat6");
    counts.map_or(true, |counts| are_counted(&counts))
}

/// The line for TCP is "TCP6: inuse 3"; what is not understood may count any.
fn are_counted(counts: &str) -> bool {
    let count = |line: &str| line.strip_prefix("TCP6: inuse ")?.trim().parse().ok();
    counts.lines().find_map(count) != Some(0_u32)
}

/// The subnet-router anycast address that goes with an address, where it is
/// one that is reported (RFC 4291, 2.6.1).
fn first_of_subnet(address: Ipv6Addr, prefix_len: u8) -> Option<Ipv6Addr> {
    if prefix_len >= WITHOUT_ANYCAST || address.is_unicast_link_local() {
        return None;
    }
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix_len));
    let first = Ipv6Addr::from_bits(address.to_bits() & mask.unwrap_or_default());
    (first != address && !first.is_unspecified()).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_of_a_subnet() {
        let first = |address: &str, prefix_len| {
            first_of_subnet(address.parse().unwrap(), prefix_len).map(|first| first.to_string())
        };
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(first("fd00:4::5", 64), of("fd00:4::"));
        assert_eq!(first("fd00:4::5", 126), of("fd00:4::4"));
        assert_eq!(first("fd00:4::5", 127), None);
        assert_eq!(first("fd00:4::5", 128), None);
        assert_eq!(first("fd00:4::", 64), None);
        assert_eq!(first("fe80::1", 64), None);
        assert_eq!(first("fd00:4::5", 0), None);
    }

    #[test]
    fn without_sockets_there_is_nothing_to_list() {
        let counts = |tcp: &str| format!("{tcp}UDP6: inuse 2\nRAW6: inuse 1\n");
        assert!(!are_counted(&counts("TCP6: inuse 0\n")));
        assert!(are_counted(&counts("TCP6: inuse 12\n")));
        assert!(are_counted(&counts("")));
    }

    #[test]
    fn only_a_look_from_shortly_before_the_change_says_what_was_before() {
        const SECOND: u64 = 1_000_000_000;
        let address: Ipv6Addr = "fd00:4::".parse().unwrap();
        let look = |boot_s, bound| Look {
            boot_ns: boot_s * SECOND,
            connections: vec![Connection::made_up(address, bound)],
        };
        let watch = Watch {
            seen: Arc::new(Mutex::new(HashMap::from([(7, (look(20, 2), look(10, 1)))]))),
            ..Watch::default()
        };
        let seen = |boot_s, netns| {
            let (at, found) = watch.before(boot_s * SECOND, netns, address)?;
            Some((at / SECOND, found.first()?.bound))
        };
        assert_eq!(seen(30, 7), Some((20, 2)));
        assert_eq!(seen(15, 7), Some((10, 1)));
        assert_eq!(seen(5, 7), None);
        assert_eq!(seen(51, 7), None);
        assert_eq!(seen(30, 8), None);
    }

    #[test]
    fn a_watch_that_is_dropped_ends() {
        let watch = Watch::begin();
        let seen = Arc::downgrade(&watch.seen);
        drop(watch);
        let since = Instant::now();
        while seen.strong_count() > 0 {
            assert!(since.elapsed() < PAUSE, "its thread goes on");
            thread::yield_now();
        }
    }
}
