//! The interface that multicasts, or other packets, are to leave by.
//!
//! For IPV6_MULTICAST_IF `do_ipv6_setsockopt` tests in this order: that the socket
//! is none of TCP (ENOPROTOOPT), the length (EINVAL), that there is such an
//! interface (ENODEV), and that the socket is bound to none, to this one, or to its
//! VRF (EINVAL). For IPV6_UNICAST_IF: the length (EINVAL), the interface
//! (EADDRNOTAVAIL), and that the socket is bound to none (EINVAL).

use super::{NUMBER, STREAM, Story, Verdict, unexplained};
use crate::{
    errno::Errno,
    explain::Fix,
    families::option::{Cause, Interface},
};

impl Story<'_> {
    pub(super) fn multicast_interface(&self) -> Verdict {
        const CAUSE: Cause = Cause::MulticastInterface;
        let refused = self.refused;
        if let Some(verdict) = self.too_short(CAUSE, NUMBER) {
            return verdict;
        }
        match (refused.errno, self.bound()) {
            (Errno::ENOPROTOOPT, _) if self.is_of_type(STREAM) => {
                Verdict::certain(CAUSE, "the socket is of TCP, which sends no multicasts").notice()
            }
            (Errno::ENODEV, _) if refused.interface == Interface::Absent => {
                self.no_such_interface(CAUSE)
            }
            (Errno::EINVAL, Some(bound)) if self.is_bound_elsewhere() => {
                let why = format!(
                    "the socket is bound to {bound}, and {} is neither that nor, if that is a VRF, \
                     one of its interfaces",
                    self.interface()
                );
                Verdict::certain(CAUSE, why).fix(Fix::new(
                    "use a socket for each interface, or bind it to none (SO_BINDTODEVICE, a \
                     link-local address)",
                ))
            }
            _ => unexplained(CAUSE),
        }
    }

    fn is_bound_elsewhere(&self) -> bool {
        let ifindex = self.refused.ifindex;
        let bound = self.socket().map_or(0, |socket| socket.bound_ifindex);
        ifindex != 0 && bound != 0 && bound != ifindex
    }

    pub(super) fn unicast_interface(&self) -> Verdict {
        const CAUSE: Cause = Cause::UnicastInterface;
        let refused = self.refused;
        if refused.errno == Errno::EINVAL && refused.length != NUMBER {
            let why = format!("its value has {} bytes, and it takes 4", refused.length);
            return Verdict::certain(CAUSE, why);
        }
        match (refused.errno, &refused.interface, self.bound()) {
            (Errno::EADDRNOTAVAIL, Interface::Swapped(name), _) => {
                let given = refused.value.unwrap_or(0);
                let why = format!(
                    "the index is to be in network byte order, and so {given} means interface {}, \
                     which is not there. As it stands it is the index of {name}",
                    refused.ifindex
                );
                Verdict::certain(CAUSE, why).fix(Fix::new(
                    "have the program give the index as htonl() has it",
                ))
            }
            (Errno::EADDRNOTAVAIL, Interface::Absent, _) => self.no_such_interface(CAUSE),
            (Errno::EINVAL, _, Some(bound)) => {
                let why = format!(
                    "the socket is bound to {bound}, and the kernel takes this only of sockets that \
                     are bound to none"
                );
                Verdict::certain(CAUSE, why).fix(Fix::new(
                    "leave it out: a socket that is bound to an interface sends by it",
                ))
            }
            _ => unexplained(CAUSE),
        }
    }
}
