//! That there are no IPv6 sockets.

use crate::{
    explain::{Diagnosis, Fix, Subject},
    families::bind::{Cause, SocketRefused},
};

const OPERATION: &str = "socket";

/// What undoes the parameter.
const COMMAND_LINE: &str =
    "remove ipv6.disable=1 from the kernel command line (and from /etc/modprobe.d), and reboot";

/// Explains a socket that was refused.
///
/// Programs ask for an IPv6 socket to learn whether there is IPv6, and do without:
/// who switched it off for all of the host knows, so it is worth a notice, once for
/// each program.
pub(in super::super) fn off(refused: &SocketRefused, subject: Subject<'_>) -> Diagnosis {
    let who = subject.who("the kernel");
    let (what, fix) = switched_off(refused.disable);
    let summary = format!(
        "{who} could not make an IPv6 socket ({}): {what}. No program has IPv6 on this host, in no \
         network namespace.",
        refused.errno
    );
    let mut diagnosis = Diagnosis::new(subject.event, Cause::Ipv6Off, OPERATION, summary)
        .with("disable", refused.disable)
        .with("type", refused.socket_type)
        .with("protocol", refused.protocol);
    diagnosis.errno = Some(refused.errno);
    match fix {
        Some(fix) => fixes(diagnosis, fix),
        None => diagnosis
            .likely()
            .fix(Fix::new("modprobe ipv6").remark("where it is a module that was not loaded")),
    }
}

/// The same of a host as it was looked at; `None` where the parameter is not why.
pub(crate) fn off_as_it_is(netns: u32, boot_ns: u64, disable: Option<i32>) -> Option<Diagnosis> {
    let (what, fix) = switched_off(disable);
    let summary = format!("{what}. No program has IPv6 on this host, in no network namespace.");
    let diagnosis = Diagnosis::of_state(netns, boot_ns, Cause::Ipv6Off, summary);
    Some(fixes(diagnosis.with("disable", disable), fix?))
}

fn fixes(diagnosis: Diagnosis, fix: &'static str) -> Diagnosis {
    diagnosis.fix(Fix::new(fix)).fix(
        Fix::new("net.ipv6.conf.all.disable_ipv6=1 and net.ipv6.conf.default.disable_ipv6=1")
            .remark("sysctls that take IPv6 from all interfaces instead, without a reboot"),
    )
}

/// What the parameter says, and what to do about it where that is it.
pub(in super::super) fn switched_off(disable: Option<i32>) -> (String, Option<&'static str>) {
    match disable {
        Some(value) if value != 0 => (
            format!(
                "IPv6 is switched off for all of the host since it was booted (ipv6.disable={value})"
            ),
            Some(COMMAND_LINE),
        ),
        Some(_) => (
            "IPv6 is not there although its parameter disable is 0".to_owned(),
            None,
        ),
        None => (
            "the kernel has no IPv6, or its module ipv6 is not loaded".to_owned(),
            None,
        ),
    }
}
