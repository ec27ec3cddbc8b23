//! The addresses that the kernel makes itself: settings that it refuses, and
//! temporary addresses that it gives up.

use std::net::{IpAddr, Ipv6Addr};

use super::add;
use crate::{
    catalogue::Severity,
    errno::Errno,
    explain::{Diagnosis, Fix, IPV6_MIN_MTU, Subject, advice, quoted},
    families::address::{Cause, SettingsRefused, TemporaryStopped},
    ifa,
};

/// `IN6_ADDR_GEN_MODE_*`, by the names that `ip` has for them.
const MODES: [&str; 4] = ["eui64", "none", "stable_secret", "random"];
const NONE: u32 = 1;
/// `REGEN_MAX_RETRY`, what `regen_max_retry` is by default.
pub(crate) const REGEN_MAX_RETRY: i32 = 3;
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
        let mut diagnosis = diagnosis.likely();
        if request.token.is_none() {
            // Nothing is lost by it, as no address is made there anyway; and NetworkManager
            // asks it of each interface, also of those, such as gre0, that never had IPv6.
            diagnosis.severity = Severity::Notice;
        }
        return diagnosis;
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
        || "too often".to_owned(),
        |most| format!("as often as regen_max_retry = {most} allows"),
    );
    if stopped.address.is_unspecified() {
        return on_advertisement(stopped, subject);
    }
    let summary = format!(
        "The kernel makes no more temporary addresses on {name}, of no prefix: {} was found in use, \
         and that {tries}. It has set use_tempaddr of {name} from {} to -1, and nothing sets it \
         back.",
        stopped.address, stopped.use_tempaddr
    );
    let mut diagnosis = no_more(stopped, subject, summary);
    diagnosis.address = Some(IpAddr::V6(stopped.address));
    let back = subject
        .set(name, "use_tempaddr", stopped.use_tempaddr)
        .remark("first see why they were in use");
    let Some((public, flags)) = stopped.public else {
        return diagnosis.fix(back);
    };
    // Its count of failures goes with it, and it only counts anew as a new one.
    let length = stopped.prefix_len;
    let delete = delete(stopped, public, subject);
    if flags & ifa::PERMANENT == 0 {
        let delete = Fix::new(delete)
            .remark("its failures are counted; the next advertisement makes it anew");
        return diagnosis.fix(delete).fix(back);
    }
    let add = add(subject.site(), public, length, flags, name);
    diagnosis.fix(back).fix(
        Fix::new(format!("{delete} && {add}"))
            .remark("its failures are counted; a new one has none"),
    )
}

/// Where the kernel gives up ahead of making one, as an advertised address comes: none
/// may fail, or as many were made beside that address as may.
fn on_advertisement(stopped: &TemporaryStopped, subject: Subject<'_>) -> Diagnosis {
    let name = &stopped.interface;
    let retry = stopped.regen_max_retry;
    let none_may = retry.is_some_and(|most| most <= 0);
    let public = stopped.public.map(|(public, _)| public.to_string());
    let beside = public.as_deref().unwrap_or("an advertised address");
    let why = match retry {
        Some(most) if most <= 0 => format!("regen_max_retry = {most} allows not even one"),
        Some(most) => format!(
            "beside {beside} it has begun to make them as often as regen_max_retry = {most} \
             allows, and each counts, in use or not"
        ),
        None => format!(
            "beside {beside} it has begun to make them as often as regen_max_retry allows, which \
             could not be read"
        ),
    };
    let summary = format!(
        "The kernel makes no more temporary addresses on {name}, of no prefix: {why}. It has set \
         use_tempaddr of {name} from {} to -1 as an advertisement came, and nothing sets it back.",
        stopped.use_tempaddr,
    );
    let mut diagnosis = no_more(stopped, subject, summary);
    // An advertisement came, which is nobody's doing here.
    diagnosis.task = None;
    if retry.is_none() {
        diagnosis = diagnosis.likely();
    }
    let first = match stopped.public {
        Some((public, _)) if !none_may => Fix::new(delete(stopped, public, subject))
            .remark("its count goes with it; the next advertisement makes it anew"),
        _ => subject.set(name, "regen_max_retry", REGEN_MAX_RETRY),
    };
    diagnosis.fix(first).fix(
        subject
            .set(name, "use_tempaddr", stopped.use_tempaddr)
            .remark("the next advertisement makes one"),
    )
}

/// That use_tempaddr was set to -1, without a way out.
fn no_more(stopped: &TemporaryStopped, subject: Subject<'_>, summary: String) -> Diagnosis {
    let public = stopped.public.map(|(public, _)| public.to_string());
    Diagnosis::new(
        subject.event,
        Cause::TemporaryStopped,
        "temporary-address",
        summary,
    )
    .with("use_tempaddr", -1)
    .with("use_tempaddr_before", stopped.use_tempaddr)
    .with("regen_max_retry", stopped.regen_max_retry)
    .with("prefix_len", stopped.prefix_len)
    .with("public_address", public)
}

/// The command that takes the public address away.
fn delete(stopped: &TemporaryStopped, public: Ipv6Addr, subject: Subject<'_>) -> String {
    subject.in_netns(&format!(
        "ip -6 address del {public}/{} dev {}",
        stopped.prefix_len,
        quoted(&stopped.interface)
    ))
}
