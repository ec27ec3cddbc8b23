//! The addresses that the kernel makes itself: settings that it refuses, and
//! temporary addresses that it gives up.

use std::net::IpAddr;

use crate::{
    errno::Errno,
    explain::{Diagnosis, IPV6_MIN_MTU, Subject, advice, quoted},
    families::address::{Cause, SettingsRefused, TemporaryStopped},
};

/// `IN6_ADDR_GEN_MODE_*`, by the names that `ip` has for them.
const MODES: [&str; 4] = ["eui64", "none", "stable_secret", "random"];
const NONE: u32 = 1;
const STABLE_SECRET: u32 = 2;

/// Explains a token or a mode that was refused.
pub(in super::super) fn settings_refused(
    request: &SettingsRefused,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let mut diagnosis = match request.errno {
        // Where there is no IPv6, no address is made anyway.
        Errno::EAFNOSUPPORT if request.token.is_none() && request.mode == Some(NONE) => {
            return None;
        }
        Errno::EAFNOSUPPORT => without_ipv6(request, subject),
        Errno::EINVAL
            if request.mode == Some(STABLE_SECRET) && request.has_secret == Some(false) =>
        {
            without_secret(request, subject)
        }
        // A mode that there is not, or a request with neither.
        _ => return None,
    };
    if request.suppressed > 0 {
        diagnosis = diagnosis.with("suppressed", request.suppressed);
    }
    diagnosis.errno = Some(request.errno);
    diagnosis.address = request.token.map(IpAddr::V6);
    Some(diagnosis)
}

/// "ip could not set token ::5 on eth0 (EAFNOSUPPORT)"
fn opening(request: &SettingsRefused, subject: Subject<'_>) -> String {
    let mode = request.mode.map(|mode| {
        let name = usize::try_from(mode).ok().and_then(|at| MODES.get(at));
        name.map_or_else(|| mode.to_string(), |&name| name.to_owned())
    });
    let what = match (request.token, mode) {
        (Some(token), _) => format!("token {token}"),
        (None, Some(mode)) => format!("address generation mode {mode}"),
        (None, None) => "an IPv6 setting".to_owned(),
    };
    format!(
        "{} could not set {what} on {} ({})",
        subject.who("the kernel"),
        request.interface,
        request.errno
    )
}

fn without_ipv6(request: &SettingsRefused, subject: Subject<'_>) -> Diagnosis {
    let opening = opening(request, subject);
    let too_small = request.mtu.filter(|&mtu| mtu < IPV6_MIN_MTU);
    let why = match (too_small, request.has_ipv6) {
        (Some(mtu), Some(false)) => {
            format!("its MTU {mtu} is below the {IPV6_MIN_MTU} that IPv6 needs")
        }
        _ => "why it has none could not be read".to_owned(),
    };
    let diagnosis = Diagnosis::new(
        subject.event,
        Cause::SettingsOffMtu,
        operation(request),
        format!("{opening}: the interface has no IPv6, {why}."),
    )
    .with("mtu", request.mtu)
    .with("has_ipv6", request.has_ipv6);
    if too_small.is_none() || request.has_ipv6 != Some(false) {
        return diagnosis.likely();
    }
    diagnosis
        .fix(subject.raise_mtu(&request.interface))
        .fix(advice::raise_lower_mtu())
}

fn without_secret(request: &SettingsRefused, subject: Subject<'_>) -> Diagnosis {
    let opening = opening(request, subject);
    let name = &request.interface;
    let secret = advice::interface_setting(name, "stable_secret", "ADDRESS");
    Diagnosis::new(
        subject.event,
        Cause::SecretUnset,
        operation(request),
        format!(
            "{opening}: such addresses are made from a secret, and neither {name} nor default has \
             one (stable_secret)."
        ),
    )
    .with("mode", request.mode)
    .with("stable_secret", false)
    .fix(
        subject
            .command(&format!("sysctl -w {secret}"))
            .remark("128 random bits in the form of an address, to be kept; sets the mode as well"),
    )
    .fix(
        subject
            .command(&format!(
                "ip link set dev {} addrgenmode random",
                quoted(name)
            ))
            .remark("a secret of the kernel's own, another one each time the interface is made"),
    )
}

fn operation(request: &SettingsRefused) -> &'static str {
    if request.token.is_some() {
        "set-token"
    } else {
        "set-addr-gen-mode"
    }
}

/// Explains temporary addresses that are made no more.
pub(in super::super) fn temporary_stopped(
    stopped: &TemporaryStopped,
    subject: Subject<'_>,
) -> Diagnosis {
    let name = &stopped.interface;
    let tries = stopped.regen_max_retry.map_or_else(
        || "too many".to_owned(),
        |most| format!("regen_max_retry = {most}"),
    );
    let summary = format!(
        "The kernel makes no more temporary addresses on {name}, of no prefix: those beside {}/{} \
         failed too often ({tries}), and it has set use_tempaddr of {name} from {} to -1. Nothing \
         sets it back; the temporary addresses that are there run out.",
        stopped.address, stopped.prefix_len, stopped.use_tempaddr
    );
    let mut diagnosis = Diagnosis::new(
        subject.event,
        Cause::TemporaryStopped,
        "temporary-address",
        summary,
    )
    .with("use_tempaddr", -1)
    .with("use_tempaddr_before", stopped.use_tempaddr)
    .with("regen_max_retry", stopped.regen_max_retry)
    .with("prefix_len", stopped.prefix_len);
    diagnosis.address = Some(IpAddr::V6(stopped.address));
    let mut retries = None;
    if stopped
        .regen_max_retry
        .is_some_and(|most| most < DEFAULT_RETRIES)
    {
        retries = Some(subject.set(name, "regen_max_retry", DEFAULT_RETRIES));
    }
    diagnosis.fix.extend(retries);
    diagnosis.fix(
        subject
            .set(name, "use_tempaddr", stopped.use_tempaddr)
            .remark("the next advertisement of a new prefix makes one; first see why they failed"),
    )
}

/// `REGEN_MAX_RETRY`: what interfaces begin with.
const DEFAULT_RETRIES: i32 = 3;
