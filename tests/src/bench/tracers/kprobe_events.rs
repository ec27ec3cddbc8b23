//! The kernel's own kprobe events, for trace-cmd and perf: the functions that
//! v6trace watches, with the values that it reads there.
//!
//! Where a member lies is asked of the kernel's BTF, as `pahole` would tell a
//! user.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use v6trace::btf::{Btf, KERNEL_BTF};

use super::Purpose;
use crate::bench::hooks::{self, Probe};

const TRACEFS: &str = "/sys/kernel/tracing";

/// The group of the events.
pub(super) const GROUP: &str = "v6";

/// The event that a choice of source address is, and the filter that leaves
/// only what concerns IPv6.
pub(super) const FILTERED: (&str, &str) = ("source", "family == 10");

/// An event: its name, the function, what is read at its entry, and whether
/// there is another one, of that name and `_return`, where it returns.
type Event = (&'static str, &'static str, String, Return);

/// The event at a return.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    /// There is none.
    Unseen,
    /// The function returns nothing.
    Void,
    /// It tells the result.
    Result,
}

/// Defines the events, unless that was done; nothing is traced yet.
pub(super) fn define(purpose: Purpose) -> Result<()> {
    let mut text = String::new();
    for (name, function, values, returns) in events(purpose)? {
        let event = Path::new(TRACEFS).join("events").join(GROUP).join(name);
        if event.exists() {
            continue;
        }
        text += &format!("p:{GROUP}/{name} {function} {values}\n");
        match returns {
            Return::Unseen => {}
            Return::Void => text += &format!("r:{GROUP}/{name}_return {function}\n"),
            Return::Result => {
                text += &format!("r:{GROUP}/{name}_return {function} ret=$retval:s32\n");
            }
        }
    }
    if text.is_empty() {
        return Ok(());
    }
    let file = format!("{TRACEFS}/kprobe_events");
    let opened = fs::OpenOptions::new().append(true).open(file);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("the kernel refuses these events:\n{text}"))
}

/// `SUBSYSTEM:EVENT` of every event.
pub(super) fn names(purpose: Purpose) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (name, _, _, returns) in events(purpose)? {
        names.push(format!("{GROUP}:{name}"));
        if returns != Return::Unseen {
            names.push(format!("{GROUP}:{name}_return"));
        }
    }
    Ok(names)
}

fn events(purpose: Purpose) -> Result<Vec<Event>> {
    let Purpose::Hooks(count) = purpose else {
        return own_events();
    };
    let event = |probe: Probe| {
        let returns = if probe.returns {
            Return::Void
        } else {
            Return::Unseen
        };
        // None but the function: what else would be read is not called.
        (probe.function, probe.function, String::new(), returns)
    };
    Ok(hooks::probes(count)?.into_iter().map(event).collect())
}

#[expect(clippy::too_many_lines, reason = "a table, whatever its length")]
fn own_events() -> Result<Vec<Event>> {
    let btf = Btf::load(Path::new(KERNEL_BTF)).context("cannot read the kernel's BTF")?;
    let at = |path: &str| -> Result<u32> { Ok(btf.member(path)?.byte_offset) };
    // An address in memory at a register or at another expression.
    let address = |at: &str| format!("upper=+0({at}):x64 lower=+8({at}):x64");
    let device_name = at("net_device.name")?;
    let name_of = |device: &str| format!("device=+{device_name}({device}):string");

    let omem = at("sock.sk_omem_alloc.counter")?;
    let net = at("sock.__sk_common.skc_net.net")?;
    let inum = at("net.ns.inum")?;
    let optmem_max = match btf.member("net.core.sysctl_optmem_max") {
        Ok(member) => format!("+{}(+{net}(%di)):s32", member.byte_offset),
        // Older kernels have one limit for all.
        Err(_) => "@sysctl_optmem_max:s32".to_owned(),
    };
    let forwarding = at("inet6_dev.cnf.forwarding")?;
    let idev = name_of(&format!("+{}(%di)", at("inet6_dev.dev")?));
    let next_hop = at("fib_result.nhc")?;
    let (family, gateway) = (
        at("fib_nh_common.nhc_gw_family")?,
        at("fib_nh_common.nhc_gw.ipv6")?,
    );
    Ok(vec![
        (
            "join",
            "__ipv6_sock_mc_join",
            format!(
                "sock=%di:x64 ifindex=%si:u32 {} mode=%cx:u32 netns=+{inum}(+{net}(%di)):u32",
                address("%dx")
            ),
            Return::Result,
        ),
        (
            "charge",
            "sock_kmalloc",
            format!("sock=%di:x64 size=%si:u32 omem=+{omem}(%di):s32 optmem_max={optmem_max}"),
            Return::Unseen,
        ),
        ("token", "inet6_set_link_af", name_of("%di"), Return::Result),
        (
            FILTERED.0,
            "fib_select_path",
            format!(
                "family=+{family}(+{next_hop}(%si)):u8 upper=+{gateway}(+{next_hop}(%si)):x64 \
                 lower=+{}(+{next_hop}(%si)):x64 saddr=+{}(%dx):x32 daddr=+{}(%dx):x32",
                gateway + 8,
                at("flowi4.saddr")?,
                at("flowi4.daddr")?
            ),
            Return::Unseen,
        ),
        (
            "forwarding_write",
            "addrconf_sysctl_forward",
            "write=%si:s32".to_owned(),
            Return::Result,
        ),
        (
            "forwarding_change",
            "dev_forward_change",
            format!("forwarding=+{forwarding}(%di):s32 {idev}"),
            Return::Void,
        ),
        (
            "address_usable",
            "__ipv6_ifa_notify",
            format!("event=%di:s32 {}", address("%si")),
            Return::Void,
        ),
        (
            "anycast_request",
            "ipv6_sock_ac_join",
            format!("ifindex=%si:u32 {}", address("%dx")),
            Return::Result,
        ),
        (
            "anycast_join",
            "__ipv6_dev_ac_inc",
            format!("{idev} {}", address("%si")),
            Return::Result,
        ),
        (
            "anycast_leave",
            "__ipv6_dev_ac_dec",
            format!("{idev} {}", address("%si")),
            Return::Result,
        ),
        (
            "purge",
            "rt6_purge_dflt_routers",
            format!("netns=+{inum}(%di):u32"),
            Return::Void,
        ),
        (
            "route_delete",
            "fib6_del",
            format!("flags=+{}(%di):x32", at("fib6_info.fib6_flags")?),
            Return::Unseen,
        ),
        (
            "dad_failure",
            "addrconf_dad_failure",
            format!(
                "state=+{}(%si):s32 nonce=+{}(%si):x64 {}",
                at("inet6_ifaddr.state")?,
                at("inet6_ifaddr.dad_nonce")?,
                address("%si")
            ),
            Return::Unseen,
        ),
        (
            "dad_solicitation",
            "ndisc_send_ns",
            format!("{} {} nonce=%r8:x64", name_of("%di"), address("%si")),
            Return::Unseen,
        ),
        (
            "dad_reflection",
            "ndisc_recv_ns",
            name_of(&format!("+{}(%di)", at("sk_buff.dev")?)),
            Return::Unseen,
        ),
    ])
}
