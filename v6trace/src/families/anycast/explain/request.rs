//! Why a socket got no anycast address (`IPV6_JOIN_ANYCAST`).
//!
//! `ipv6_sock_ac_join` tests in this order: may the task (EPERM), is the address
//! a group or the host's own (EINVAL), has the socket's option memory room
//! (ENOMEM), is there an interface, by the index or by a route (ENODEV,
//! EADDRNOTAVAIL), does it speak IPv6 (ENODEV), and, unless it forwards, has it
//! an address with a prefix that holds the one asked for (EADDRNOTAVAIL).

use std::net::IpAddr;

use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, Subject, quoted},
    families::{
        anycast::{AnycastRequest, Cause, Requested},
        multicast_join::{Charge, Inet6State},
    },
};

/// `IPV6_MIN_MTU`
const MIN_MTU: u32 = 1280;

/// Explains a request that was refused.
pub(in crate::families::anycast) fn explain(
    request: &AnycastRequest,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let story = Story {
        subject,
        request,
        errno: request.errno?,
    };
    Some(story.told())
}

/// One refused request and what is known around it.
struct Story<'a> {
    subject: Subject<'a>,
    request: &'a AnycastRequest,
    errno: Errno,
}

impl Story<'_> {
    fn told(&self) -> Diagnosis {
        let request = self.request;
        match self.errno {
            Errno::EPERM => self.not_permitted(),
            Errno::EINVAL => match request.address {
                Some(address) if address.is_multicast() => self.multicast(),
                Some(_) => self.own_address(),
                None => self.unexplained(
                    "; the address could not be read, so whether it is a group or one of this \
                     host's own is not known",
                ),
            },
            Errno::ENOMEM => match request.charge.refused() {
                Some(true) => self.optmem_exhausted(),
                Some(false) => self.unexplained(
                    ": the socket's option memory had room, so the kernel's allocator had none",
                ),
                None => self.unexplained(
                    "; the option memory's use or limit could not be read, so whether the \
                     socket's budget or the machine's memory ran out is not known",
                ),
            },
            Errno::ENODEV => match &request.device {
                Requested::Absent => self.no_such_device(),
                Requested::Found {
                    name,
                    mtu,
                    inet6: Inet6State::Missing,
                    ..
                } => self.without_ipv6(name, *mtu),
                Requested::Unknown if request.requested_ifindex == 0 => self.no_interface_up(),
                Requested::Unknown => self.unexplained(
                    "; this namespace's interfaces could not be read, so whether one has that \
                     index is not known",
                ),
                Requested::Found { .. } => self.unexplained(
                    ": the interface had no IPv6 at that moment, or was going away; when it was \
                     looked at, it had",
                ),
            },
            Errno::EADDRNOTAVAIL => match request.forwarding() {
                Some(1..) => self.unexplained(
                    ": the interface did not forward at that moment; when it was looked at, it did",
                ),
                _ => self.not_on_link(),
            },
            _ => self.unexplained("; v6trace knows no condition with this result"),
        }
    }

    fn not_permitted(&self) -> Diagnosis {
        let netns = self.subject.event.netns;
        let why = match self.request.net_admin {
            Some(true) => {
                "it has CAP_NET_ADMIN in its own user namespace, but not in the one that owns \
                 this network namespace"
            }
            Some(false) => "it has no CAP_NET_ADMIN, which taking an anycast address needs",
            None => {
                "taking an anycast address needs CAP_NET_ADMIN in the user namespace that owns \
                 this network namespace"
            }
        };
        let diagnosis = self.start(Cause::AnycastNotPermitted, why);
        if self.request.net_admin == Some(true) {
            return diagnosis.fix(Fix::new(format!(
                "run it with CAP_NET_ADMIN where network namespace {netns} was made"
            )));
        }
        let task = self.subject.event.culprit();
        let unit = task.and_then(|task| self.subject.session.unit(task.pid));
        diagnosis.fix(match unit {
            Some(unit) => Fix::new(format!("systemctl edit {}", quoted(unit)))
                .remark("[Service] AmbientCapabilities=CAP_NET_ADMIN"),
            None => Fix::new(format!(
                "run {} with CAP_NET_ADMIN",
                quoted(self.subject.who("it"))
            )),
        })
    }

    fn multicast(&self) -> Diagnosis {
        self.start(
            Cause::AnycastMulticast,
            "the address is a multicast group, and no address to be had as anycast",
        )
        .fix(Fix::new(
            "in the program: join groups with IPV6_ADD_MEMBERSHIP",
        ))
    }

    fn own_address(&self) -> Diagnosis {
        let diagnosis = self.start(
            Cause::AnycastOwnAddress,
            "an interface of this host has it as an ordinary address",
        );
        let show = format!("ip -6 address show to {}", self.address());
        diagnosis
            .fix(self.subject.command(&show).remark("which interface has it"))
            .fix(Fix::new(
                "in the program: bind to it as it is, or ask for another address",
            ))
    }

    fn optmem_exhausted(&self) -> Diagnosis {
        let charge = self.request.charge;
        let omem = charge.sk_omem_alloc.unwrap_or_default();
        let size = charge.size.unwrap_or_default();
        let why = format!(
            "its socket's option memory is full, {omem} + {size} bytes reach \
             net.core.optmem_max = {}",
            charge.optmem_max.unwrap_or_default()
        );
        let leave = Fix::new(
            "in the program: IPV6_LEAVE_ANYCAST and IPV6_DROP_MEMBERSHIP, or a further socket",
        );
        self.start(Cause::AnycastOptmemExhausted, &why)
            .fix(self.raise_limit(&charge))
            .fix(leave.remark("frees what it needs no longer"))
    }

    /// The command that doubles the limit at least, rounded up to a power of two.
    fn raise_limit(&self, charge: &Charge) -> Fix {
        let needed = i64::from(charge.sk_omem_alloc.unwrap_or_default())
            + i64::from(charge.size.unwrap_or_default());
        let target = u64::try_from(needed).unwrap_or_default().saturating_mul(2);
        let target = target.checked_next_power_of_two().unwrap_or(target);
        let command = format!("sysctl -w net.core.optmem_max={target}");
        if charge.limit_of_netns {
            self.subject.command(&command)
        } else {
            // Before 6.8 only the first namespace has the sysctl.
            Fix::new(command).remark("on the host: this kernel has one limit for all namespaces")
        }
    }

    fn no_such_device(&self) -> Diagnosis {
        let ifindex = self.request.requested_ifindex;
        let why = format!("no interface of this network namespace has index {ifindex}");
        self.start(Cause::AnycastNoSuchDevice, &why)
            .fix(self.subject.command("ip -o link").remark("which there are"))
            .fix(Fix::new(
                "in the program: look the index up again (if_nametoindex)",
            ))
    }

    fn without_ipv6(&self, name: &str, mtu: Option<u32>) -> Diagnosis {
        let why = match mtu {
            Some(mtu) if mtu < MIN_MTU => {
                format!("{name} has no IPv6, since its MTU is {mtu}; IPv6 needs {MIN_MTU}")
            }
            _ => format!("{name} has no IPv6"),
        };
        let diagnosis = self.start(Cause::AnycastNoSuchDevice, &why);
        let raise = format!("ip link set dev {} mtu {MIN_MTU}", quoted(name));
        diagnosis.fix(
            self.subject
                .command(&raise)
                .remark("or more; IPv6 comes back with a link-local address only"),
        )
    }

    fn no_interface_up(&self) -> Diagnosis {
        let diagnosis = self.start(
            Cause::AnycastNoSuchDevice,
            "no interface was given, no route leads there, and none but the loopback is up",
        );
        diagnosis
            .likely()
            .fix(self.subject.command("ip -o link").remark("which are up"))
            .fix(Fix::new("in the program: give the index of an interface"))
    }

    fn not_on_link(&self) -> Diagnosis {
        let address = self.address();
        let request = self.request;
        let Some(name) = request.interface() else {
            return self.not_by_routes();
        };
        let why = format!(
            "{name} does not forward, and none of its addresses has a prefix that holds {address}: \
             a host takes only anycast addresses of its own subnets"
        );
        let mut diagnosis = self.start(Cause::AnycastNotOnLink, &why);
        if request.forwarding().is_none() {
            diagnosis = diagnosis.likely();
        }
        let add = format!("ip address add ADDRESS dev {}", quoted(name));
        diagnosis
            .fix(
                self.subject
                    .command(&add)
                    .remark("one with a prefix that holds what was asked for"),
            )
            .fix(Fix::new(
                "in the program: give the index of an interface in that subnet",
            ))
    }

    /// The same, where the interface is the routes' choice.
    fn not_by_routes(&self) -> Diagnosis {
        let address = self.address();
        let request = self.request;
        let why = if request.requested_ifindex != 0 {
            format!(
                "this host has no subnet that holds {address} on that interface, which does not \
                 forward"
            )
        } else if request.all_forwarding == Some(0) {
            format!(
                "no interface was given; no route leads to {address}, or the interface that it \
                 leaves by does not forward and has no address with a prefix that holds it"
            )
        } else {
            format!(
                "no interface was given; the interface that the route to {address} leaves by does \
                 not forward and has no address with a prefix that holds it"
            )
        };
        let get = format!("ip -6 route get {address}");
        self.start(Cause::AnycastNotOnLink, &why)
            .likely()
            .fix(
                self.subject
                    .command(&get)
                    .remark("by which interface it leaves"),
            )
            .fix(Fix::new(
                "in the program: give the index of an interface in that subnet",
            ))
    }

    fn unexplained(&self, what_is_known: &str) -> Diagnosis {
        self.opened(Cause::AnycastUnexplained, what_is_known)
            .likely()
            .fix(Fix::new("v6trace doctor").remark("which kernel values can be read here"))
    }

    /// The address, as commands and sentences name it.
    fn address(&self) -> String {
        let address = self.request.address;
        address.map_or_else(|| "an address".to_owned(), |address| address.to_string())
    }

    /// A diagnosis whose summary says `why`.
    fn start(&self, cause: Cause, why: &str) -> Diagnosis {
        self.opened(cause, &format!(": {why}"))
    }

    fn opened(&self, cause: Cause, rest: &str) -> Diagnosis {
        let request = self.request;
        let who = self.subject.who("the kernel");
        let on = match (request.interface(), request.requested_ifindex) {
            (Some(name), _) => format!(" on {name}"),
            (None, 0) => String::new(),
            (None, ifindex) => format!(" on interface index {ifindex}"),
        };
        let summary = format!(
            "{who} could not take {} as anycast{on} ({}){rest}.",
            self.address(),
            self.errno
        );
        let charge = &request.charge;
        let scope = |_| {
            if charge.limit_of_netns {
                "netns"
            } else {
                "global"
            }
        };
        let mut diagnosis = Diagnosis::new(self.subject.event, cause, "anycast-join", summary)
            .with("requested_ifindex", request.requested_ifindex)
            .with("forwarding", request.forwarding())
            .with("all_forwarding", request.all_forwarding)
            .with("net_admin", request.net_admin)
            .with("sk_omem_alloc", charge.sk_omem_alloc)
            .with("size", charge.size)
            .with("optmem_max", charge.optmem_max)
            .with("optmem_scope", charge.optmem_max.map(scope))
            .with("socket", request.socket);
        diagnosis.errno = Some(self.errno);
        diagnosis.address = request.address.map(IpAddr::V6);
        diagnosis
    }
}
