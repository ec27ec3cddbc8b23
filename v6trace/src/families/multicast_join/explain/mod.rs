//! Why joining a multicast group failed.
//!
//! `__ipv6_sock_mc_join` tests in this order: is the address a group (EINVAL),
//! is the socket a member already (EADDRINUSE), has the socket's option memory
//! room (ENOMEM), is there a device (ENODEV), does the device speak IPv6
//! (EINVAL) and is it staying (ENODEV), is there memory for the device's own
//! entry (ENOMEM). The same errno twice is told apart by the values read.

mod device;
mod memory;
mod request;

pub(crate) use memory::{about_memberships, raise_limit};

use std::{fmt::Write as _, net::IpAddr};

use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, Subject},
    families::{
        device::Device,
        multicast_join::{Cause, Inet6State, Interface, MulticastJoin},
    },
};

const OPERATION: &str = "multicast-join";

/// `IPPROTO_UDP`, `IPPROTO_ICMPV6`
const UDP: u32 = 17;
const ICMPV6: u32 = 58;

/// Explains a join that failed.
pub(super) fn explain(join: &MulticastJoin, subject: Subject<'_>) -> Option<Diagnosis> {
    let errno = join.errno?;
    let story = Story {
        subject,
        join,
        errno,
    };
    let diagnosis = match errno {
        Errno::EADDRINUSE if is_no_failure(join) => return None,
        Errno::EADDRINUSE => story.already_joined(),
        Errno::ENOMEM => match join.charge.refused() {
            Some(true) => story.optmem_exhausted(),
            Some(false) => story.out_of_memory(),
            None => story.unexplained(
                "; the option memory's use or limit could not be read, so whether the socket's \
                 budget or the machine's memory ran out is not known",
            ),
        },
        Errno::EINVAL if join.group_read && !join.group.is_multicast() => {
            story.group_not_multicast()
        }
        Errno::EINVAL if join.group_read => match &join.device {
            Device::Found(Interface {
                name,
                mtu,
                inet6: Inet6State::Missing,
            }) => story.ipv6_disabled(name, *mtu),
            _ => story.unexplained(
                ": the address is a group, so the interface had no IPv6 at that moment; when it \
                 was looked at, it had (or could not be read)",
            ),
        },
        Errno::EINVAL => story
            .unexplained("; the address could not be read, so whether it is a group is not known"),
        Errno::ENODEV => story.no_such_device(),
        _ => story.unexplained("; v6trace knows no condition with this result"),
    };
    Some(diagnosis)
}

/// Two callers take EADDRINUSE for success: MCAST_JOIN_SOURCE_GROUP for a
/// further source of a group, and vxlan where tunnels share the kernel's socket.
fn is_no_failure(join: &MulticastJoin) -> bool {
    join.for_one_source || (join.socket.kernel && join.socket.protocol == UDP)
}

/// One failed join and what is known around it.
struct Story<'a> {
    subject: Subject<'a>,
    join: &'a MulticastJoin,
    errno: Errno,
}

impl Story<'_> {
    fn unexplained(&self, what_is_known: &str) -> Diagnosis {
        let summary = format!("{}{what_is_known}.", self.opening());
        let diagnosis = self.memory_evidence(Cause::Unexplained, summary).likely();
        diagnosis.fix(Fix::new("v6trace doctor").remark("which kernel values can be read here"))
    }

    /// "radvd could not join ff02::2 on tap366 (ENOMEM)"
    fn opening(&self) -> String {
        let who = self.subject.who("the kernel");
        let mut text = format!("{who} could not join {}", self.join.group);
        // Memory takes whatever is written.
        let _ = match (self.join.interface(), self.join.requested_ifindex) {
            (Some(name), _) => write!(text, " on {name}"),
            (_, 0) => Ok(()),
            (_, ifindex) => write!(text, " on interface index {ifindex}"),
        };
        text.push_str(if !self.join.socket.kernel {
            ""
        } else if self.is_autojoin() {
            " with the kernel's own socket for autojoin addresses"
        } else if self.join.socket.protocol == UDP {
            " with the kernel's own socket of a UDP tunnel"
        } else {
            " with a socket of the kernel's own"
        });
        let _ = write!(text, " ({})", self.errno);
        text
    }

    /// Whether the socket is the one of `net.ipv6.mc_autojoin_sk`, the only
    /// ICMPv6 socket of the kernel that joins.
    fn is_autojoin(&self) -> bool {
        self.join.socket.kernel && self.join.socket.protocol == ICMPV6
    }

    fn start(&self, cause: Cause, summary: String) -> Diagnosis {
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, OPERATION, summary);
        diagnosis.errno = Some(self.errno);
        diagnosis.ifindex =
            (self.join.requested_ifindex != 0).then_some(self.join.requested_ifindex);
        diagnosis.address = Some(IpAddr::V6(self.join.group));
        diagnosis
    }

    fn socket_evidence(&self, mut diagnosis: Diagnosis) -> Diagnosis {
        let socket = self.join.socket;
        diagnosis.add("socket", (socket.inode != 0).then_some(socket.inode));
        diagnosis.add("kernel_socket", socket.kernel);
        diagnosis
    }
}
