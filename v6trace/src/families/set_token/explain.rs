//! Why setting an interface's token was refused.
//!
//! `inet6_set_iftoken` tests in this order, always EINVAL: loopback, NOARP,
//! router advertisements not accepted, router solicitations off. The first
//! that holds decides; the operator meets the others next, so they are named.

use std::net::IpAddr;

use crate::{
    errno::Errno,
    explain::{Diagnosis, Fix, Subject, Value, quoted},
    families::set_token::{Cause, SetToken, Sysctls},
};

const OPERATION: &str = "set-token";
const IFF_LOOPBACK: u32 = 0x8;
const IFF_NOARP: u32 = 0x80;

/// Explains a token that was refused.
pub(super) fn explain(request: &SetToken, subject: Subject<'_>) -> Option<Diagnosis> {
    let errno = request.errno?;
    let all_read = request.flags.is_some() && request.sysctls.is_some();
    let held = held(request);
    let (cause, why) = match held.first() {
        Some(&cause) if errno == Errno::EINVAL => {
            let mut why = why(cause, request);
            // The kernel tests them first.
            if request.flags.is_none() {
                why += "; whether it is a loopback or has the flag NOARP could not be read";
            }
            (cause, why)
        }
        // The token was taken and the mode was not.
        None if errno == Errno::EINVAL && request.with_addr_gen_mode && all_read => return None,
        _ if all_read => (
            Cause::Unexplained,
            "none of the conditions that the kernel tests held when it was asked".to_owned(),
        ),
        _ => (
            Cause::Unexplained,
            "the values that the kernel tests could not be read here".to_owned(),
        ),
    };
    let summary = format!("{} ({errno}): {why}.", opening(request, subject));
    let sysctls = request.sysctls;
    let also = held.iter().skip(1).map(|cause| cause.info().code.into());
    let mut diagnosis = Diagnosis::new(subject.event, cause, OPERATION, summary)
        .with("forwarding", sysctls.map(|sysctls| sysctls.forwarding))
        .with("accept_ra", sysctls.map(|sysctls| sysctls.accept_ra))
        .with(
            "router_solicitations",
            sysctls.map(|sysctls| sysctls.router_solicitations),
        )
        .with("flags", request.flags)
        .with("token", request.token.map(|token| token.to_string()))
        .with("also", Value::List(also.collect()));
    diagnosis.errno = Some(errno);
    diagnosis.ifindex = Some(request.ifindex);
    diagnosis.address = request.token.map(IpAddr::V6);
    // Flags come first: without them a sysctl is only the next best reason.
    if cause == Cause::Unexplained || request.flags.is_none() {
        diagnosis = diagnosis.likely();
    }
    let fixes = Fixes { subject, request };
    Some(
        held.iter()
            .fold(diagnosis, |diagnosis, &cause| fixes.add(diagnosis, cause)),
    )
}

/// "ip could not set token ::1 on eth0"; `ip token del` sets `::`.
fn opening(request: &SetToken, subject: Subject<'_>) -> String {
    let who = subject.who("the kernel");
    let name = &request.interface;
    match request.token {
        Some(token) if token.is_unspecified() => {
            format!("{who} could not clear the token of {name}")
        }
        Some(token) => format!("{who} could not set token {token} on {name}"),
        None => format!("{who} could not set a token on {name}"),
    }
}

/// The conditions that refuse the token, in the kernel's order.
fn held(request: &SetToken) -> Vec<Cause> {
    let flags = request.flags.unwrap_or_default();
    let mut causes = Vec::new();
    if flags & IFF_LOOPBACK != 0 {
        causes.push(Cause::Loopback);
    }
    if flags & IFF_NOARP != 0 {
        causes.push(Cause::Noarp);
    }
    if let Some(Sysctls {
        forwarding,
        accept_ra,
        router_solicitations,
    }) = request.sysctls
    {
        // `ipv6_accept_ra`
        match (forwarding != 0, accept_ra) {
            (true, 2) => {}
            (true, _) => causes.push(Cause::Forwarding),
            (false, 0) => causes.push(Cause::AcceptRa),
            (false, _) => {}
        }
        if router_solicitations == 0 {
            causes.push(Cause::RouterSolicitations);
        }
    }
    causes
}

fn why(cause: Cause, request: &SetToken) -> String {
    let name = &request.interface;
    let Sysctls {
        forwarding,
        accept_ra,
        ..
    } = request.sysctls.unwrap_or(Sysctls {
        forwarding: 0,
        accept_ra: 0,
        router_solicitations: 0,
    });
    match cause {
        Cause::Loopback => format!("{name} is a loopback interface"),
        Cause::Noarp => format!(
            "{name} has the flag NOARP (no neighbour discovery), and the kernel takes no token for \
             such an interface"
        ),
        Cause::Forwarding => format!(
            "{name} forwards (forwarding = {forwarding}), and accepts router advertisements then \
             only with accept_ra = 2; it is {accept_ra}"
        ),
        Cause::AcceptRa => {
            format!("{name} does not accept router advertisements (accept_ra = {accept_ra})")
        }
        Cause::RouterSolicitations | Cause::Unexplained => {
            format!("{name} sends no router solicitations (router_solicitations = 0)")
        }
    }
}

/// What undoes each condition.
struct Fixes<'a> {
    subject: Subject<'a>,
    request: &'a SetToken,
}

impl Fixes<'_> {
    fn add(&self, diagnosis: Diagnosis, cause: Cause) -> Diagnosis {
        let name = quoted(&self.request.interface);
        match cause {
            Cause::Forwarding => {
                let diagnosis = diagnosis.fix(
                    self.set("accept_ra", 2)
                        .remark("stays a router, and listens to routers"),
                );
                // A host that accepts no advertisements gets no token either.
                if self
                    .request
                    .sysctls
                    .is_some_and(|sysctls| sysctls.accept_ra == 0)
                {
                    return diagnosis;
                }
                diagnosis.fix(
                    self.set("forwarding", 0).remark(
                        "a host on this interface, until conf.all.forwarding is written again",
                    ),
                )
            }
            Cause::AcceptRa => diagnosis.fix(self.set("accept_ra", 1).remark(
                "where networkd or NetworkManager set it to 0, the token belongs in their settings",
            )),
            Cause::RouterSolicitations => diagnosis.fix(
                self.set("router_solicitations", -1)
                    .remark("the default: no limit"),
            ),
            Cause::Noarp => diagnosis
                .fix(
                    self.subject
                        .command(&format!("ip address add ADDRESS/64 dev {name}"))
                        .remark("the whole address, since there can be no token"),
                )
                .fix(
                    self.subject
                        .command(&format!("ip link set dev {name} arp on"))
                        .remark("only on Ethernet that was set to arp off"),
                ),
            Cause::Loopback => diagnosis.fix(Fix::new(
                "set the token on the interface that hears the router",
            )),
            Cause::Unexplained => diagnosis,
        }
    }

    fn set(&self, sysctl: &str, value: i32) -> Fix {
        self.subject.set(&self.request.interface, sysctl, value)
    }
}
