//! TCP connections to addresses that this host would take, as they were before.
//!
//! A connection may end with the very segment that follows a change, before
//! anyone can look, and its process may have closed it by then. So a thread
//! looks now and then which connections lead to the first address of a subnet
//! that this host is in. It keeps the last two looks: the last may already be
//! one from after the change.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

use super::{
    super::{enter, inside, places::Places},
    connections::{self, Connection},
};
use crate::clock;

/// The least time between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// A look may take as long as it needs, but all of them together no more than
/// this part of one processor.
const SHARE: u32 = 200;

/// Prefixes of this length and longer have no anycast address (RFC 6164, and a
/// single address).
const WITHOUT_ANYCAST: u8 = 127;

/// Looks now and then, until it is dropped.
#[derive(Debug)]
pub struct Watch {
    seen: Arc<Mutex<Seen>>,
}

/// The last look and the one before.
#[derive(Debug, Default)]
struct Seen {
    last: Look,
    before: Look,
}

/// What was seen when.
#[derive(Debug, Default)]
struct Look {
    /// When it began, nanoseconds since boot.
    boot_ns: u64,
    /// By network namespace.
    connections: HashMap<u32, Vec<Connection>>,
}

impl Watch {
    /// Begins to look.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn begin() -> io::Result<Self> {
        let seen = Arc::default();
        let weak = Arc::downgrade(&seen);
        thread::Builder::new()
            .name("v6trace-watch".to_owned())
            .spawn(move || watch(&weak))?;
        Ok(Self { seen })
    }

    /// What led to `address` of a namespace before `boot_ns`, and when that
    /// was seen.
    pub(super) fn before(
        &self,
        boot_ns: u64,
        netns: u32,
        address: Ipv6Addr,
    ) -> (u64, Vec<Connection>) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let look = if seen.last.boot_ns < boot_ns {
            &seen.last
        } else {
            &seen.before
        };
        let there = look.connections.get(&netns).into_iter().flatten();
        let leading = there.filter(|connection| connection.to == address);
        (look.boot_ns, leading.cloned().collect())
    }
}

fn watch(seen: &Weak<Mutex<Seen>>) {
    loop {
        let began = Instant::now();
        let look = look();
        let Some(seen) = seen.upgrade() else {
            return;
        };
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.before = std::mem::replace(&mut seen.last, look);
        drop(seen);
        thread::sleep(PAUSE.max(began.elapsed() * SHARE));
    }
}

/// Looks into every namespace.
fn look() -> Look {
    let boot_ns = clock::boot_ns();
    let places = Places::find();
    let connections = places.inodes().filter_map(|netns| {
        let found = enter::within(netns, &places.paths(netns), look_here);
        // Those that may not be entered are not looked at later either.
        let found = found.unwrap_or_default();
        (!found.is_empty()).then_some((netns, found))
    });
    Look {
        boot_ns,
        connections: connections.collect(),
    }
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
    if firsts.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = connections::to(&firsts)?;
    found.retain(Connection::is_established);
    Ok(found)
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
    fn a_look_from_after_the_change_says_nothing_of_before() {
        let address: Ipv6Addr = "fd00:4::".parse().unwrap();
        let look = |boot_ns, bound| Look {
            boot_ns,
            connections: HashMap::from([(7, vec![Connection::made_up(address, bound)])]),
        };
        let watch = Watch {
            seen: Arc::new(Mutex::new(Seen {
                last: look(20, 2),
                before: look(10, 1),
            })),
        };
        let bound = |boot_ns, netns| {
            let (at, found) = watch.before(boot_ns, netns, address);
            (at, found.first().map(|connection| connection.bound))
        };
        assert_eq!(bound(30, 7), (20, Some(2)));
        assert_eq!(bound(15, 7), (10, Some(1)));
        assert_eq!(bound(30, 8), (20, None));
    }
}
