//! What every explanation is about: an event, or a network namespace that was
//! looked at, and what the stream has told so far. Who did it, and the commands
//! that would work where it happened, are put the same way in all families.

use super::{Fix, advice};
use crate::{event::Event, session::Session};

/// An event to explain, with all that an explanation may rest on.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What happened.
    pub event: &'a Event,
    /// What was learnt before.
    pub session: &'a Session,
}

/// A network namespace of the host, with what the stream has told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// Its inode number.
    pub(crate) netns: u32,
    /// What was learnt.
    pub(crate) session: &'a Session,
}

impl Site<'_> {
    /// `command`, which must be made of [`quoted`](advice::quoted) words, to be
    /// run in that namespace.
    pub(crate) fn in_netns(&self, command: &str) -> String {
        advice::in_netns(self.session, self.netns, command)
    }

    /// The same as a fix.
    pub(crate) fn command(&self, command: &str) -> Fix {
        Fix::new(self.in_netns(command))
    }

    /// Setting `net.ipv6.conf.INTERFACE.SYSCTL` in that namespace.
    pub(crate) fn set(&self, interface: &str, sysctl: &str, value: i32) -> Fix {
        self.command(&advice::set_interface_sysctl(interface, sysctl, value))
    }

    /// What an interface that has something from advertisements needs before forwarding
    /// is written.
    pub(crate) fn keep_advertised(&self, interface: &str) -> Fix {
        self.set(interface, "accept_ra", 2).remark(
            "first: forwarding takes default routes from advertisements away, and heeds none",
        )
    }

    /// Raising an MTU with which the interface has no IPv6.
    pub(crate) fn raise_mtu(&self, interface: &str) -> Fix {
        let interface = advice::quoted(interface);
        self.command(&format!(
            "ip link set dev {interface} mtu {}",
            advice::IPV6_MIN_MTU
        ))
        .remark("brings IPv6 back, but not static addresses, routes and sysctls")
    }
}

impl<'a> Subject<'a> {
    /// The namespace of the event.
    pub(crate) fn site(&self) -> Site<'a> {
        Site {
            netns: self.event.netns,
            session: self.session,
        }
    }

    /// Whoever did it, at the beginning of a sentence or within: the task's
    /// name, else `nobody`.
    pub(crate) fn who(&self, nobody: &'a str) -> &'a str {
        self.event
            .culprit()
            .map_or(nobody, |task| task.comm.as_str())
    }

    /// `command`, which must be made of [`quoted`](advice::quoted) words, to be
    /// run in the network namespace of the event.
    pub(crate) fn in_netns(&self, command: &str) -> String {
        self.site().in_netns(command)
    }

    /// The same as a fix.
    pub(crate) fn command(&self, command: &str) -> Fix {
        self.site().command(command)
    }

    /// Setting `net.ipv6.conf.INTERFACE.SYSCTL` in that namespace.
    pub(crate) fn set(&self, interface: &str, sysctl: &str, value: i32) -> Fix {
        self.site().set(interface, sysctl, value)
    }

    /// Raising an MTU with which the interface has no IPv6.
    pub(crate) fn raise_mtu(&self, interface: &str) -> Fix {
        self.site().raise_mtu(interface)
    }
}
