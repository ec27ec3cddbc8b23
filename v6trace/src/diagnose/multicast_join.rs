//! Why joining a multicast group failed.
//!
//! `__ipv6_sock_mc_join` tests in this order: is the address a group (EINVAL),
//! is the socket a member already (EADDRINUSE), has the socket's option memory
//! room (ENOMEM), is there a device (ENODEV), does the device speak IPv6
//! (EINVAL) and is it staying (ENODEV), is there memory for the device's own
//! entry (ENOMEM). The same errno twice is told apart by the values read.

use std::net::IpAddr;

use super::{Diagnosis, Fix};
use crate::{
    catalogue::Cause,
    decode::{
        Event, MulticastJoin,
        multicast_join::{Device, Inet6State, Memberships},
    },
    errno::Errno,
    session::Session,
};

const OPERATION: &str = "multicast-join";
/// Smallest MTU with which a device gets IPv6 (RFC 8200 section 5).
const IPV6_MIN_MTU: u32 = 1280;

/// Explains a join that failed.
pub(super) fn diagnose(event: &Event, join: &MulticastJoin, session: &Session) -> Option<Diagnosis> {
    let errno = join.errno?;
    let story = Story { event, join, session, errno };
    let diagnosis = match errno {
        Errno::EADDRINUSE if is_no_failure(join) => return None,
        Errno::EADDRINUSE => story.already_joined(),
        Errno::ENOMEM => match join.charge.refused() {
            Some(true) => story.optmem_exhausted(),
            Some(false) => story.out_of_memory(),
            None => story.unexplained(
                "; the option memory's use and limit could not be read, so whether the socket's \
                 budget or the machine's memory ran out is not known",
            ),
        },
        Errno::EINVAL if !join.group.is_multicast() => story.group_not_multicast(),
        Errno::EINVAL => match &join.device {
            Device::Found { name, mtu, inet6: Inet6State::Missing } => {
                story.ipv6_disabled(name, *mtu)
            }
            _ => story.unexplained(
                ": the address is a group, so the interface had no IPv6 at that moment; when it \
                 was looked at, it had (or could not be read)",
            ),
        },
        Errno::ENODEV => story.no_such_device(),
        _ => story.unexplained("; v6trace knows no condition with this result"),
    };
    Some(diagnosis)
}

/// Two callers take EADDRINUSE for success: a further source of a group
/// (`ipv6_sock_mc_join_ssm`), and tunnels that share the kernel's UDP socket
/// (`vxlan_igmp_join`).
fn is_no_failure(join: &MulticastJoin) -> bool {
    join.for_one_source
        || (join.socket.kernel && join.socket.protocol == libc::IPPROTO_UDP.cast_unsigned())
}

/// One failed join and what is known around it.
struct Story<'a> {
    event: &'a Event,
    join: &'a MulticastJoin,
    session: &'a Session,
    errno: Errno,
}

impl Story<'_> {
    fn optmem_exhausted(&self) -> Diagnosis {
        let charge = &self.join.charge;
        let omem = charge.sk_omem_alloc.unwrap_or_default();
        let size = charge.size.unwrap_or_default();
        let max = charge.optmem_max.unwrap_or_default();
        let mut summary = format!(
            "{}: {} option memory is full, {omem} + {size} bytes reach net.core.optmem_max = \
             {max}.",
            self.opening(),
            self.whose_socket(),
        );
        if let Some(memberships) = self.join.memberships {
            summary.push_str(&about_memberships(memberships, size, omem));
        }
        let leaking = self.join.memberships.is_some_and(mostly_stale);
        let mut diagnosis = self.memory_evidence(Cause::OptmemExhausted, summary);
        let restart = self.free_memberships(leaking);
        let raise = self.raise_limit(i64::from(omem) + i64::from(size), leaking);
        // Raising the limit cures a socket that needs more; it only postpones
        // the next failure of one that leaks.
        let order = if leaking { [restart, raise] } else { [raise, restart] };
        for fix in order {
            diagnosis = diagnosis.fix(fix);
        }
        diagnosis
    }

    fn out_of_memory(&self) -> Diagnosis {
        let charge = &self.join.charge;
        let summary = format!(
            "{}: the kernel's allocator had no memory. {} option memory is not the reason, {} + \
             {} bytes are below net.core.optmem_max = {}.",
            self.opening(),
            capitalised(&self.whose_socket()),
            charge.sk_omem_alloc.unwrap_or_default(),
            charge.size.unwrap_or_default(),
            charge.optmem_max.unwrap_or_default(),
        );
        self.memory_evidence(Cause::OutOfMemory, summary)
            .fix(Fix::new("free -m; slabtop -o -s c").remark("who holds the memory"))
            .fix(Fix::new("dmesg | grep -i 'allocation failure'").remark("what the kernel said of it"))
    }

    fn already_joined(&self) -> Diagnosis {
        let requested = self.join.requested_ifindex;
        let wherever = match self.join.same_group_ifindex {
            Some(joined) if requested == 0 => format!(
                "its socket is a member already, through interface index {joined}; a request \
                 without an interface collides with a membership on any"
            ),
            _ => "its socket is a member already".to_owned(),
        };
        let summary = format!("{}: {wherever}.", self.opening());
        let mut diagnosis = self
            .start(Cause::AlreadyJoined, summary)
            .with("group", self.join.group.to_string())
            .with("requested_ifindex", requested)
            .with("joined_ifindex", self.join.same_group_ifindex)
            .with("memberships", self.join.memberships.map(|memberships| memberships.count));
        diagnosis = self.socket_evidence(diagnosis);
        diagnosis.fix(
            Fix::new("in the program: take EADDRINUSE for success, or IPV6_DROP_MEMBERSHIP first"),
        )
    }

    fn group_not_multicast(&self) -> Diagnosis {
        let group = self.join.group;
        let mapped = group.to_ipv4_mapped();
        let why = match mapped {
            Some(v4) => format!("{group} is the IPv4 address {v4} in IPv6 form, no IPv6 group"),
            None => format!("{group} is not in ff00::/8"),
        };
        let summary = format!("{}: {why}.", self.opening());
        let diagnosis = self
            .start(Cause::GroupNotMulticast, summary)
            .with("group", group.to_string());
        self.socket_evidence(diagnosis).fix(Fix::new(match mapped {
            Some(v4) if v4.is_multicast() => {
                "in the program: join IPv4 groups with IP_ADD_MEMBERSHIP, on an IPv4 socket"
            }
            _ => "in the program or its configuration: give a group of ff00::/8",
        }))
    }

    fn no_such_device(&self) -> Diagnosis {
        let requested = self.join.requested_ifindex;
        let opening = self.opening();
        let (reason, summary, fix) = match &self.join.device {
            Device::Absent => (
                "no-such-ifindex",
                format!("{opening}: no interface of this network namespace has index {requested}."),
                Fix::new(self.in_netns("ip link"))
                    .remark("the indexes there are; an index is not reused after its link is gone"),
            ),
            Device::Found { name, inet6: Inet6State::Dead, .. } => (
                "device-going",
                format!("{opening}: {name} is being removed, its IPv6 state is already dead."),
                Fix::new("in the program: join again once the interface is back"),
            ),
            Device::Unknown if requested == 0 => (
                "no-route",
                format!(
                    "{opening}: the request names no interface, and ENODEV then means that no \
                     route leads to the group."
                ),
                Fix::new(self.in_netns("ip -6 route get ") + &self.join.group.to_string())
                    .remark("fails likewise until an interface with IPv6 is up"),
            ),
            _ => {
                return self.unexplained(
                    ": the interface was being removed or had just gone; when it was looked at, it \
                     was there (or could not be read)",
                );
            }
        };
        let mut diagnosis = self
            .start(Cause::NoSuchDevice, summary)
            .with("requested_ifindex", requested)
            .with("reason", reason)
            .with("group", self.join.group.to_string());
        diagnosis = self.socket_evidence(diagnosis).fix(fix);
        if reason == "no-route" {
            diagnosis = diagnosis
                .fix(Fix::new("in the program or its configuration: name the interface to join on"))
                .likely();
        }
        diagnosis
    }

    fn ipv6_disabled(&self, name: &str, mtu: u32) -> Diagnosis {
        let opening = self.opening();
        let too_small = mtu < IPV6_MIN_MTU;
        let summary = if too_small {
            format!(
                "{opening}: {name} has no IPv6, its MTU {mtu} is below the {IPV6_MIN_MTU} that \
                 IPv6 needs."
            )
        } else {
            format!(
                "{opening}: {name} has no IPv6 (its ip6_ptr is null). Its MTU {mtu} is large \
                 enough; why it has none is not known."
            )
        };
        let mut diagnosis = self
            .start(Cause::Ipv6DisabledOnDevice, summary)
            .with("mtu", mtu)
            .with("ip6_ptr", 0)
            .with("group", self.join.group.to_string());
        diagnosis = self.socket_evidence(diagnosis);
        if too_small {
            diagnosis.fix(
                Fix::new(self.in_netns(&format!("ip link set dev {name} mtu {IPV6_MIN_MTU}")))
                    .remark("brings IPv6 back, with a link-local address only"),
            )
        } else {
            diagnosis.fix(Fix::new(self.in_netns(&format!("ip -6 address show dev {name}"))))
        }
    }

    fn unexplained(&self, what_is_known: &str) -> Diagnosis {
        let summary = format!("{}{what_is_known}.", self.opening());
        let diagnosis = self.memory_evidence(Cause::JoinUnexplained, summary).likely();
        diagnosis.fix(Fix::new("v6trace doctor").remark("which kernel values can be read here"))
    }

    /// "radvd could not join ff02::2 on tap366 (ENOMEM)"
    fn opening(&self) -> String {
        let who = self.event.culprit().map_or("the kernel", |task| task.comm.as_str());
        let on = match (&self.join.device, self.join.requested_ifindex) {
            (Device::Found { name, .. }, _) => format!(" on {name}"),
            (_, 0) => String::new(),
            (_, ifindex) => format!(" on interface index {ifindex}"),
        };
        format!("{who} could not join {}{on} ({})", self.join.group, self.errno)
    }

    /// "its socket's", or whose it is when it is not the task's.
    fn whose_socket(&self) -> String {
        if !self.join.socket.kernel {
            return "its socket's".to_owned();
        }
        let used_by = match i32::try_from(self.join.socket.protocol) {
            Ok(libc::IPPROTO_ICMPV6) => " for autojoin addresses",
            Ok(libc::IPPROTO_UDP) => " for a UDP tunnel",
            _ => "",
        };
        format!("the kernel's own socket{used_by} is the one that joins, and its")
    }

    fn start(&self, cause: Cause, summary: String) -> Diagnosis {
        let mut diagnosis = Diagnosis::new(self.event, cause, OPERATION, summary);
        diagnosis.errno = Some(self.errno);
        diagnosis.ifindex =
            (self.join.requested_ifindex != 0).then_some(self.join.requested_ifindex);
        diagnosis.address = Some(IpAddr::V6(self.join.group));
        diagnosis
    }

    fn memory_evidence(&self, cause: Cause, summary: String) -> Diagnosis {
        let charge = &self.join.charge;
        let memberships = self.join.memberships;
        let diagnosis = self
            .start(cause, summary)
            .with("sk_omem_alloc", charge.sk_omem_alloc)
            .with("size", charge.size)
            .with("optmem_max", charge.optmem_max)
            .with("optmem_scope", if charge.limit_of_netns { "netns" } else { "global" })
            .with("memberships", memberships.map(|m| m.count))
            .with("stale_memberships", memberships.and_then(|m| m.stale))
            .with("memberships_complete", memberships.map(|m| m.complete));
        self.socket_evidence(diagnosis)
    }

    fn socket_evidence(&self, diagnosis: Diagnosis) -> Diagnosis {
        let socket = self.join.socket;
        diagnosis
            .with("socket", (socket.inode != 0).then_some(socket.inode))
            .with("kernel_socket", socket.kernel)
    }

    /// How to get memberships off the socket.
    fn free_memberships(&self, leaking: bool) -> Fix {
        let remark = if leaking { "frees the stale memberships" } else { "starts with none" };
        if self.join.socket.kernel {
            return Fix::new("remove the addresses or tunnels that joined and are not needed")
                .remark("the kernel's socket lives as long as the namespace");
        }
        match self.event.culprit() {
            Some(task) => match self.session.unit(task.pid) {
                Some(unit) => Fix::new(format!("systemctl restart {unit}")).remark(remark),
                None => Fix::new(format!("restart {} (pid {})", task.comm, task.pid)).remark(remark),
            },
            None => Fix::new("restart the program that owns the socket").remark(remark),
        }
    }

    /// The command that doubles the limit at least, rounded up to a power of two.
    fn raise_limit(&self, needed: i64, leaking: bool) -> Fix {
        let target = u64::try_from(needed).unwrap_or_default().saturating_mul(2);
        let target = target.checked_next_power_of_two().unwrap_or(target);
        let command = format!("sysctl -w net.core.optmem_max={target}");
        if self.join.charge.limit_of_netns {
            let fix = Fix::new(self.in_netns(&command));
            if leaking { fix.remark("only postpones it") } else { fix }
        } else if self.session.is_own_namespace(self.event.netns) {
            let fix = Fix::new(command);
            if leaking { fix.remark("only postpones it") } else { fix }
        } else {
            // Before 6.9 there is one limit, and only the first namespace has the sysctl.
            Fix::new(command).remark("on the host: this kernel has one limit for all namespaces")
        }
    }

    /// `command`, to be run in the namespace of the event.
    fn in_netns(&self, command: &str) -> String {
        let inode = self.event.netns;
        if self.session.is_own_namespace(inode) {
            command.to_owned()
        } else if let Some(name) = self.session.namespace_name(inode) {
            format!("ip netns exec {name} {command}")
        } else if let Some(task) = self.event.culprit() {
            format!("nsenter --net=/proc/{}/ns/net {command}", task.pid)
        } else {
            command.to_owned()
        }
    }
}

/// Whether memberships on interfaces that are gone are what fills the socket.
fn mostly_stale(memberships: Memberships) -> bool {
    memberships.stale.is_some_and(|stale| u64::from(stale) * 2 > u64::from(memberships.count))
}

/// What the memberships say of the memory in use, as sentences to append.
fn about_memberships(memberships: Memberships, size: u32, omem: i32) -> String {
    let Memberships { count, stale, complete } = memberships;
    let mut text = if complete {
        String::new()
    } else {
        format!(" Counting its memberships stopped after {count}; there are more.")
    };
    let of_them = if complete { format!("its {count}") } else { format!("these {count}") };
    match stale {
        Some(stale) if stale > 0 => {
            let verb = if stale == 1 { "is on an interface that no longer exists" } else {
                "are on interfaces that no longer exist"
            };
            let leak = if mostly_stale(memberships) {
                ": it leaks them, since it never leaves the groups of interfaces that go"
            } else {
                ""
            };
            text.push_str(&format!(" {stale} of {of_them} memberships {verb}{leak}."));
        }
        Some(_) if complete => {
            text.push_str(&format!(" All of {of_them} memberships are on interfaces that exist."));
        }
        _ => {}
    }
    let held = i64::from(count) * i64::from(size);
    let rest = i64::from(omem) - held;
    if complete && rest >= i64::from(size) {
        text.push_str(&format!(
            " They hold {held} of the {omem} bytes; the other {rest} are held by options of the \
             socket such as source lists or sticky headers."
        ));
    }
    text
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

