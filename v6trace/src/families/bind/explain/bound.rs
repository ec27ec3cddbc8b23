//! Why a bind was refused.
//!
//! `__inet6_bind` tests in this order: the port (EACCES), that the socket has no
//! other address yet (EINVAL), an IPv4 address of a socket for IPv6 alone
//! (EINVAL); then that a link-local address has an interface (EINVAL), that the
//! interface is there (ENODEV), that the address is (EADDRNOTAVAIL), and last that
//! the port is free (EADDRINUSE, `in_use`). What gives the same errno is tested in
//! this order. Raw sockets have a function of their own, with the same tests but
//! those about ports and IPv4.

use std::net::IpAddr;

use super::Story;
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix},
    families::bind::{Cause, Loopback, SocketState},
};

pub(super) const OPERATION: &str = "bind";

/// `SOCK_RAW`, whose number is that of its protocol.
const RAW: u32 = 3;
/// `TCP_CLOSE`: neither connected nor listening.
const CLOSED: u32 = 7;

impl Story<'_> {
    pub(super) fn bound(&self) -> Option<Diagnosis> {
        let diagnosis = match self.refused.errno {
            Errno::EACCES => self.port(),
            Errno::EINVAL => self.invalid()?,
            Errno::ENODEV if self.refused.device.is_absent() => self
                .told(Cause::NoSuchDevice, OPERATION, &self.no_such_device())
                .fix(self.list_links()),
            Errno::EADDRNOTAVAIL => self.not_available()?,
            Errno::EADDRINUSE => self.in_use()?,
            _ => self.unexplained(),
        };
        let protocol = self.refused.socket.map(|socket| socket.protocol);
        Some(
            diagnosis
                .with("port", self.refused.port)
                .with("sk_protocol", protocol),
        )
    }

    fn port(&self) -> Diagnosis {
        let port = self.refused.port;
        let Some(start) = self.refused.unprivileged_port_start else {
            return self.unexplained();
        };
        if port == 0 || i64::from(port) >= i64::from(start) {
            return self.unexplained();
        }
        let mut why = format!(
            "ports below {start} (net.ipv4.ip_unprivileged_port_start, which IPv6 heeds as well) are \
             for those with CAP_NET_BIND_SERVICE in the user namespace that this network namespace \
             belongs to"
        );
        let has_it = self.refused.bind_service;
        // In which user namespace is not read, and programs of a cgroup can give
        // any errno.
        let is_certain = has_it == Some(false);
        if has_it == Some(true) {
            why += ". It has that capability, so most likely in another user namespace only (a \
                    container's)";
        } else if !is_certain {
            why += "; whether it has that could not be read";
        }
        let told = self.told(Cause::PortPrivileged, OPERATION, &why);
        let told = if is_certain { told } else { told.likely() };
        let mut told = told
            .with("cap_net_bind_service", has_it)
            .with("ip_unprivileged_port_start", start);
        if has_it != Some(true) {
            told = told.fix(Fix::new(
                "give the service the capability: AmbientCapabilities=CAP_NET_BIND_SERVICE in its \
                 unit, or setcap cap_net_bind_service=+ep on its program",
            ));
        }
        told.fix(
            self.subject
                .command(&format!(
                    "sysctl -w net.ipv4.ip_unprivileged_port_start={port}"
                ))
                .remark(
                    "everybody in this network namespace may then have that port and those above",
                ),
        )
    }

    /// A socket that has an address already, or is given something else than an
    /// address, is a mistake of its program's, about which IPv6 knows nothing.
    fn invalid(&self) -> Option<Diagnosis> {
        let refused = self.refused;
        let SocketState {
            kind,
            state,
            number,
            ..
        } = refused.socket?;
        if state != CLOSED || kind != RAW && number != 0 {
            return None;
        }
        let is_mapped = refused.address.to_ipv4_mapped().is_some();
        if is_mapped && kind != RAW && refused.v6only == Some(true) {
            let why = "the socket is for IPv6 alone (IPV6_V6ONLY), and this is an IPv4 address";
            return Some(
                self.told(Cause::MappedV6only, OPERATION, why)
                    .with("v6only", true)
                    .fix(Fix::new("bind an IPv4 socket to the IPv4 address"))
                    .fix(
                        self.subject
                            .command("sysctl -w net.ipv6.bindv6only=0")
                            .remark("where that is 1 and the program sets nothing itself"),
                    ),
            );
        }
        if refused.address.is_unicast_link_local() && refused.ifindex == 0 {
            return Some(self.no_scope(Cause::NoScope, OPERATION));
        }
        None
    }

    /// A link-local address of which the link is not known.
    pub(super) fn no_scope(&self, cause: Cause, operation: &'static str) -> Diagnosis {
        let address = self.refused.address;
        let holders = self.refused.holders.iter();
        let own = holders.filter(|holder| !holder.anycast);
        let names: Vec<_> = own.map(|holder| holder.interface.as_str()).collect();
        let place = match names[..] {
            [] => "No interface of this network namespace has it".to_owned(),
            _ => format!("It is on {}", names.join(" and ")),
        };
        let why = format!(
            "a link-local address means something on one link only, and neither the address nor \
             the socket says on which interface. {place}"
        );
        let diagnosis = self.told(cause, operation, &why);
        names.into_iter().fold(diagnosis, |diagnosis, name| {
            diagnosis.fix(Fix::new(format!("write {address}%{name}")))
        })
    }

    fn not_available(&self) -> Option<Diagnosis> {
        let refused = self.refused;
        let diagnosis = match refused.address.to_canonical() {
            IpAddr::V4(address) => {
                // Raw sockets refuse every such address.
                if refused.socket?.kind == RAW {
                    return None;
                }
                let why = format!(
                    "{address} is no IPv4 address that the socket can have{}",
                    self.elsewhere()
                );
                self.told(Cause::Absent, OPERATION, &why)
            }
            IpAddr::V6(_) => self.by_standing(),
        };
        Some(self.judged(diagnosis))
    }

    /// Programs try ::1 and ::ffff:127.0.0.1 with any port to learn whether there
    /// is IPv6, and go on without; and whoever switched IPv6 off on lo knows it.
    fn judged(&self, mut diagnosis: Diagnosis) -> Diagnosis {
        let Loopback { disable_ipv6, .. } = self.refused.loopback;
        let address = self.refused.address;
        let is_off = address.is_loopback() && disable_ipv6.is_some_and(|value| value != 0);
        let is_asked = self.refused.port == 0 && address.to_canonical().is_loopback();
        if is_asked || is_off {
            diagnosis.severity = Severity::Notice;
        }
        diagnosis
    }

    pub(super) fn unexplained(&self) -> Diagnosis {
        let why = "none of the conditions that give this errno held when the kernel had answered, as \
                   far as they could be read; a program of the cgroup may refuse addresses as well";
        self.told(Cause::Unexplained, OPERATION, why).likely()
    }
}
