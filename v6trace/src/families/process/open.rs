//! What followed processes began with IPv6 and of which no outcome was seen: connections
//! that went on, and datagrams, of which the kernel does not say what becomes of them.

use std::{
    collections::HashSet,
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::{Call, SocketKind, SystemCall, call::place};
use crate::event::Event;

/// How many of each are kept.
const MOST: usize = 256;

/// How long after something was sent to a neighbour it may turn out not to be there: it is
/// asked for three times, a second apart.
const SETTLES_NS: u64 = 4_000_000_000;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Of which process.
    pub pid: u32,
    /// `connect`, or sending.
    pub call: Call,
    /// Where to.
    pub address: SocketAddr,
    boot_ns: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Open {
    begun: Vec<Begun>,
    /// Connections that went on, whatever became of them.
    connects: HashSet<(u32, IpAddr, u16)>,
}

impl Open {
    /// Remembers a call of a followed process.
    pub(super) fn remember(&mut self, event: &Event, call: &SystemCall) {
        let (Some(task), Some(address)) = (event.culprit(), call.address) else {
            return;
        };
        if !call.is_of_ipv6() || address.ip().is_multicast() {
            return;
        }
        let begun = Begun {
            pid: task.pid,
            call: call.call,
            address,
            boot_ns: event.boot_ns,
        };
        let is_stream = call.socket.is_some_and(SocketKind::is_stream);
        let is_datagram = call.call == Call::Send && !is_stream && call.errno.is_none();
        if call.goes_on || is_datagram {
            if call.goes_on && self.connects.len() < MOST {
                self.connects
                    .insert((task.pid, address.ip(), address.port()));
            }
            let known = self.begun.iter().any(|other| other.is_same(&begun));
            if !known && self.begun.len() < MOST {
                self.begun.push(begun);
            }
        } else if tells_of_earlier(call.call) {
            // What comes out on a stream comes of its connection, else of what was sent.
            let call = if is_stream { Call::Connect } else { Call::Send };
            let of = Begun { call, ..begun };
            self.begun.retain(|other| !other.is_same(&of));
        }
    }

    /// Whether the process began to connect to where the call is about.
    pub(super) fn began(&self, pid: u32, call: &SystemCall) -> bool {
        place(call).is_some_and(|(host, port)| self.connects.contains(&(pid, host, port)))
    }

    /// Until when something may come of it, nanoseconds since boot.
    pub(super) fn settled_ns(&self) -> u64 {
        let begun = self.begun.iter();
        let begun = begun.filter(|begun| !begun.address.ip().is_loopback());
        let last = begun.map(|begun| begun.boot_ns).max();
        last.map_or(0, |last| last.saturating_add(SETTLES_NS))
    }

    /// What was begun, oldest first.
    pub(crate) fn begun(&self) -> &[Begun] {
        &self.begun
    }
}

impl Begun {
    fn is_same(&self, other: &Self) -> bool {
        let what = |begun: &Self| {
            let address = begun.address;
            (begun.pid, begun.call, address.ip(), address.port())
        };
        what(self) == what(other)
    }
}

/// Whether what it comes to is of what was begun with the same place.
const fn tells_of_earlier(call: Call) -> bool {
    matches!(
        call,
        Call::Connect | Call::Error | Call::Send | Call::Receive
    )
}

impl fmt::Display for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.call, self.address.port()) {
            (Call::Connect, _) => write!(f, "connect() to {}", self.address),
            (_, 0) => write!(f, "sending to {}", self.address.ip()),
            _ => write!(f, "sending to {}", self.address),
        }
    }
}
