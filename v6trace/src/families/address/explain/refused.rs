//! Why the kernel refused an address.
//!
//! `inet6_rtm_newaddr` looks the interface up (ENODEV), gives it IPv6 if it has
//! none (EINVAL with an MTU below 1280), and looks for the address there
//! (EEXIST); then prefix length, lifetimes and mngtmpaddr (EINVAL; later kernels test
//! the lifetimes first), disable_ipv6 (EACCES) and the address itself
//! (EADDRNOTAVAIL). What gives the same errno is tested in this order; where
//! several conditions hold, each would refuse, and the others are named. An ioctl
//! (`addrconf_add_ifaddr`) has its prefix length tested ahead of the interface's MTU.

use std::net::IpAddr;

use v6trace_common::families::address::{IOCTL, IOCTL_DELETE};

use super::{add, deleted};
use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, Value, advice},
    families::{
        address::{AddressRequest, Cause},
        device::Device,
    },
    ifa,
};

const OPERATION: &str = "address-add";

/// Explains an address that was refused.
pub(in super::super) fn refused(
    request: &AddressRequest,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let story = Story { request, subject };
    let held = if story.is_deletion() {
        story.keeps().into_iter().collect()
    } else {
        story.held()
    };
    let decided = match held.first() {
        Some(&cause) => story.because(cause),
        // The kernel could not join the group on the address's behalf, which is
        // a failed join.
        None if request.flags & ifa::MCAUTOJOIN != 0 => return None,
        None => story.unexplained(),
    };
    let also = held.iter().skip(1).map(|cause| cause.info().code.into());
    let mut diagnosis = decided
        .with("prefix_len", request.prefix_len)
        .with("flags", request.flags)
        .with("also", Value::List(also.collect()));
    if request.suppressed > 0 {
        diagnosis = diagnosis.with("suppressed", request.suppressed);
    }
    diagnosis.errno = Some(request.errno);
    diagnosis.address = request.address.map(IpAddr::V6);
    Some(diagnosis)
}

/// A request with what it is explained by.
pub(super) struct Story<'a> {
    pub(super) request: &'a AddressRequest,
    pub(super) subject: Subject<'a>,
}

impl<'a> Story<'a> {
    /// The conditions that give this errno and hold, in the kernel's order.
    fn held(&self) -> Vec<Cause> {
        let request = self.request;
        let address = request.address;
        let tests: &[(Cause, bool)] = match request.errno {
            Errno::EACCES => &[(Cause::Ipv6Disabled, self.disabled().is_some_and(|v| v != 0))],
            Errno::EEXIST => &[(Cause::Exists, true)],
            Errno::ENODEV => &[(Cause::NoSuchDevice, request.device.is_absent())],
            Errno::ENOMEM | Errno::ENOBUFS => {
                &[(Cause::OutOfMemory, request.flags & ifa::MCAUTOJOIN == 0)]
            }
            // An ioctl gives neither lifetimes nor flags.
            Errno::EINVAL if self.subject.event.hook == IOCTL => &[
                (Cause::PrefixLength, request.prefix_len > 128),
                (Cause::Ipv6OffMtu, self.is_off()),
            ],
            Errno::EINVAL => &[
                (Cause::Ipv6OffMtu, self.is_off()),
                (Cause::PrefixLength, request.prefix_len > 128),
                (Cause::Lifetime, self.lifetimes_refuse()),
                (Cause::Mngtmpaddr, self.mngtmpaddr_refuses()),
            ],
            Errno::EADDRNOTAVAIL => &[
                (
                    Cause::Unspecified,
                    address.is_some_and(|a| a.is_unspecified()),
                ),
                (Cause::Multicast, address.is_some_and(|a| a.is_multicast())),
                (Cause::Loopback, address.is_some_and(|a| a.is_loopback())),
            ],
            _ => &[],
        };
        let held = tests.iter().filter(|(_, holds)| *holds);
        held.map(|&(cause, _)| cause).collect()
    }

    fn because(&self, cause: Cause) -> Diagnosis {
        match cause {
            Cause::Ipv6Disabled => self.disabled_diagnosis(),
            Cause::Ipv6OffMtu => self.off_diagnosis(),
            Cause::Exists => self.exists(),
            Cause::Unspecified => self.told(
                cause,
                ":: stands for no address, and no interface can have it",
            ),
            Cause::Multicast => self
                .told(
                    cause,
                    "it is a multicast group, which programs join and interfaces do not have",
                )
                .fix(
                    Fix::new(format!("{} autojoin", self.add()))
                        .remark("joins the group on the interface and keeps it joined"),
                ),
            Cause::Loopback => self
                .told(
                    cause,
                    "::1 belongs to loopback interfaces, of which this is none",
                )
                .fix(
                    self.subject
                        .command("ip link set dev lo up")
                        .remark("brings ::1 back where lo was down"),
                ),
            Cause::Lifetime => self.lifetime_diagnosis(),
            Cause::PrefixLength => self.told(
                cause,
                &format!(
                    "an IPv6 address has 128 bits, and its prefix cannot have {}",
                    self.request.prefix_len
                ),
            ),
            Cause::Mngtmpaddr => self.mngtmpaddr_diagnosis(),
            Cause::NoSuchDevice => self
                .told(
                    cause,
                    &format!(
                        "no interface of this network namespace has index {}",
                        self.request.ifindex
                    ),
                )
                .with("requested_ifindex", self.request.ifindex)
                .fix(
                    self.subject.command("ip link").remark(
                        "the indexes there are; a link that comes back usually has a new one",
                    ),
                ),
            Cause::NotThere => self.not_there(),
            Cause::OutOfMemory => self.told(cause, "the kernel had no memory for it"),
            // None of these is a refused address.
            Cause::Unexplained
            | Cause::SettingsOffMtu
            | Cause::SecretUnset
            | Cause::TemporaryStopped
            | Cause::LinkLocalNotMade
            | Cause::Disabled
            | Cause::MtuTookIpv6
            | Cause::LostOnDown
            | Cause::LostByVrf => self.unexplained(),
        }
    }

    /// What is known where the errno is not decided.
    fn unexplained(&self) -> Diagnosis {
        let device = &self.request.device;
        let why = if self.request.address.is_none() {
            "the request has no address that could be read"
        } else if *device == Device::Unknown {
            "its interface could not be read here"
        } else {
            "none of the conditions that give this errno held when the kernel had answered. A \
             driver may refuse addresses as well (ipvlan takes none that another one has)"
        };
        self.told(Cause::Unexplained, why).likely()
    }

    /// A diagnosis that begins with what failed.
    pub(super) fn told(&self, cause: Cause, why: &str) -> Diagnosis {
        let summary = format!("{} ({}): {why}.", self.opening(), self.request.errno);
        let operation = if self.is_deletion() {
            deleted::OPERATION
        } else {
            OPERATION
        };
        Diagnosis::new(self.subject.event, cause, operation, summary)
    }

    /// "ip could not add fd00::1/64 to eth0"
    fn opening(&self) -> String {
        let who = self.subject.who("the kernel");
        let (verb, on) = if self.is_deletion() {
            ("delete", "from")
        } else {
            ("add", "to")
        };
        let length = self.request.prefix_len;
        let what = self.request.address.map_or_else(
            || "an address".to_owned(),
            |address| format!("{address}/{length}"),
        );
        match self.request.device.name() {
            Some(name) => format!("{who} could not {verb} {what} {on} {name}"),
            None if self.request.address.is_none() => {
                format!("{who} could not {verb} {what} {on} an interface")
            }
            None => format!(
                "{who} could not {verb} {what} {on} interface {}",
                self.request.ifindex
            ),
        }
    }

    /// The command that was refused.
    pub(super) fn add(&self) -> String {
        let request = self.request;
        let address = request.address.unwrap_or(std::net::Ipv6Addr::UNSPECIFIED);
        add(
            self.subject.site(),
            address,
            request.prefix_len,
            request.flags,
            self.name(),
        )
    }

    /// The interface, where it was found.
    pub(super) fn name(&self) -> &'a str {
        self.request.device.name().unwrap_or("IFNAME")
    }

    /// Whether it was to be deleted.
    fn is_deletion(&self) -> bool {
        self.subject.event.hook == IOCTL_DELETE
    }

    /// Whether the interface has IPv6.
    pub(super) fn has_ipv6(&self) -> Option<bool> {
        self.request.device.found()?.has_ipv6
    }

    fn mtu(&self) -> Option<u32> {
        self.request.device.found()?.mtu
    }

    pub(super) fn disabled(&self) -> Option<i32> {
        self.request.device.found()?.disable_ipv6
    }

    /// Whether the interface has no IPv6 since its MTU is too small.
    fn is_off(&self) -> bool {
        self.has_ipv6() == Some(false) && self.mtu().is_some_and(|mtu| mtu < IPV6_MIN_MTU)
    }

    fn off_diagnosis(&self) -> Diagnosis {
        let name = self.name();
        let mtu = self.mtu();
        self.told(
            Cause::Ipv6OffMtu,
            &format!(
                "{name} has no IPv6, its MTU {} is below the {IPV6_MIN_MTU} that IPv6 needs",
                mtu.unwrap_or_default()
            ),
        )
        .with("mtu", mtu)
        .with("ip6_ptr", 0)
        .fix(self.subject.raise_mtu(name))
        .fix(Fix::new(self.add()).remark("once more"))
        .fix(advice::raise_lower_mtu())
    }
}
