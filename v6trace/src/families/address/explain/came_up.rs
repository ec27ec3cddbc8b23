//! A link-local address that the kernel did not make, and nobody else either.
//!
//! Programs that make it themselves tell the kernel not to. So what decides is what
//! the interface has some seconds later: where that was not looked up, or earlier, or
//! the interface is one that needs no such address, there is nothing to say. Nor is
//! there where it is another by then, or set in another way.

use crate::{
    explain::{Diagnosis, Fix, Site, Subject, seconds_before},
    families::address::{Cause, LATER, LinkLocalMissing, Settled, WayUp},
};

/// `IN6_ADDR_GEN_MODE_STABLE_PRIVACY`, without a secret.
const STABLE_SECRET: u32 = 2;
/// The modes that make an address of what every such interface has.
const EUI64: i32 = 0;
const RANDOM: i32 = 3;
/// `IFF_LOOPBACK` and `IFF_NOARP`: interfaces that have no neighbours.
const WITHOUT_NEIGHBOURS: u32 = 0x88;
/// `ARPHRD_ETHER` and `ARPHRD_INFINIBAND`. Tunnels go without, and drivers such as
/// WireGuard's see to that.
const WITH_HARDWARE_ADDRESS: [u32; 2] = [1, 32];

/// Explains an interface that came up without.
pub(in super::super) fn came_up(
    missing: &LinkLocalMissing,
    subject: Subject<'_>,
) -> Option<Diagnosis> {
    let settled = Settled::of(missing.ifindex, subject)?;
    let event_ns = subject.event.boot_ns;
    let is_early = u128::from(settled.boot_ns.saturating_sub(event_ns)) < LATER.as_nanos();
    if is_early || !is_still_without(settled, missing) {
        return None;
    }
    let needs_none = missing.is_vrf
        || missing.dev_flags & WITHOUT_NEIGHBOURS != 0
        || !WITH_HARDWARE_ADDRESS.contains(&missing.device_type);
    if needs_none {
        return None;
    }
    let name = &missing.interface;
    let (why, fix) = not_made(name, missing.addr_gen_mode, subject.site());
    let waited = seconds_before(settled.boot_ns, event_ns);
    let summary = format!(
        "{}, and the kernel made no link-local address: {why}. {waited} later nobody had made \
         one. Without one {name} asks \
         for no routers, and DHCPv6 and routing protocols have no source there.",
        opening(missing, subject),
    );
    let mut diagnosis = Diagnosis::new(
        subject.event,
        Cause::LinkLocalNotMade,
        "interface-up",
        summary,
    )
    .with("addr_gen_mode", missing.addr_gen_mode)
    .with("other_addresses", settled.others)
    .with("looked_after", waited);
    if missing.suppressed > 0 {
        diagnosis = diagnosis.with("suppressed", missing.suppressed);
    }
    Some(diagnosis.fix(fix))
}

/// Why the kernel makes no link-local address in this mode, and what has it make one.
pub(crate) fn not_made(interface: &str, addr_gen_mode: u32, site: Site<'_>) -> (String, Fix) {
    if addr_gen_mode == STABLE_SECRET {
        let why = format!(
            "its addr_gen_mode is {addr_gen_mode} (stable_secret), and neither {interface} nor \
             default has a stable_secret"
        );
        let fix = site.set(interface, "addr_gen_mode", RANDOM).remark(
            "makes the address at once, of a secret of the kernel's own; nothing else goes",
        );
        return (why, fix);
    }
    let why = format!("its addr_gen_mode is {addr_gen_mode} (none)");
    let fix = site
        .set(interface, "addr_gen_mode", EUI64)
        .remark("makes the address at once, of the MAC; nothing else goes");
    (why, fix)
}

/// Whether it is the same interface, could have such an address, is not to have one made,
/// and has none.
fn is_still_without(settled: &Settled, missing: &LinkLocalMissing) -> bool {
    settled.interface == missing.interface.as_str()
        && settled.is_up
        && settled.master.is_none()
        && settled.disable_ipv6 == Some(0)
        && settled.addr_gen_mode == Some(missing.addr_gen_mode)
        && settled.link_local.is_none()
}

/// "ip set eth0 up"
fn opening(missing: &LinkLocalMissing, subject: Subject<'_>) -> String {
    let name = &missing.interface;
    match missing.way {
        WayUp::SetUp => format!("{} set {name} up", subject.who("the kernel")),
        WayUp::Carrier => format!("{name} got a carrier"),
        WayUp::Enabled => format!("{} switched IPv6 of {name} on", subject.who("the kernel")),
        WayUp::Unknown => format!("{name} came up"),
    }
}
