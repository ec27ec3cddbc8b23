//! More hooks than v6trace has: its own table, and behind it as many further
//! functions of the kernel's IPv6 as families to come may want.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use v6trace::attach::{self, Options};
use v6trace::live::{Buffers, Live};
use v6trace::symbols::{KALLSYMS, SymbolStatus, Symbols};
use v6trace_common::families::anycast::FORWARDING_CHANGED;
use v6trace_common::{Candidate, HOOKS, HookInfo, Programs};

/// How many hooks are measured.
pub(super) const COUNTS: [usize; 3] = [5, 15, 50];

/// Functions that every kernel measured on has once, and that are not called
/// while nothing happens.
const FURTHER: [&str; 35] = [
    "__ipv6_dev_mc_inc",
    "ipv6_sock_mc_drop",
    "ip6_mc_source",
    "ip6_mc_msfilter",
    "inet6_validate_link_af",
    "rtnl_setlink",
    "ndisc_recv_na",
    "ndisc_recv_rs",
    "ndisc_router_discovery",
    "ndisc_redirect_rcv",
    "ndisc_send_na",
    "addrconf_dad_stop",
    "addrconf_dad_completed",
    "addrconf_dad_work",
    "addrconf_dad_kick",
    "ipv6_add_addr",
    "inet6_addr_add",
    "inet6_rtm_newaddr",
    "ipv6_add_dev",
    "ipv6_find_idev",
    "addrconf_add_dev",
    "addrconf_prefix_rcv",
    "addrconf_prefix_rcv_add_addr",
    "rt6_route_rcv",
    "rt6_add_dflt_router",
    "ip6_route_add",
    "ip6_route_info_create",
    "fib6_nh_init",
    "___neigh_create",
    "ipv6_dev_get_saddr",
    "__inet6_bind",
    "ip6_forward",
    "fib_check_nh_v6_gw",
    "fib_create_info",
    "tcp_v6_connect",
];

/// A small pair of programs, as most hooks have.
static STAND_IN: Programs = Programs::both("forwarding_change_enter", "forwarding_change_return");

/// A function to be watched.
pub(super) struct Probe {
    pub(super) function: &'static str,
    /// Where it is.
    pub(super) address: u64,
    /// Whether it is watched where it returns as well.
    pub(super) returns: bool,
}

/// What `count` hooks watch on this kernel.
pub(super) fn probes(count: usize) -> Result<Vec<Probe>> {
    let hooks = table(count)?;
    let groups: Vec<Vec<&str>> = hooks
        .iter()
        .map(|hook| hook.candidates.iter().map(|each| each.function).collect())
        .collect();
    let symbols = Symbols::load(Path::new(KALLSYMS), &groups)?;
    let probe = |hook: &HookInfo| {
        let candidate = hook.candidates.iter().find(|candidate| {
            matches!(
                symbols.status(candidate.function),
                SymbolStatus::Present { .. }
            )
        });
        let candidate = candidate.with_context(|| format!("no function of {}", hook.name))?;
        Ok(Probe {
            function: candidate.function,
            address: symbols.address(candidate.function).unwrap_or_default(),
            returns: candidate.kprobes.ret.is_some(),
        })
    };
    hooks.iter().copied().map(probe).collect()
}

/// Attaches so many hooks as v6trace does, says so, and waits for Ctrl-C.
pub(crate) fn trace(count: usize) -> Result<()> {
    let options = Options {
        hooks: table(count)?,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (attached, buffers) =
            attach::attach(&options, |loaded| Buffers::open(loaded.ebpf, BUFFER_SIZE))?;
        let attached_hooks = attached.coverage.attached().count();
        ensure!(
            attached_hooks == count,
            "{attached_hooks} of {count} hooks: {:?}",
            attached.coverage
        );
        let (live, info) = Live::new(attached, buffers, Vec::new())?;
        let interrupt = tokio::signal::unix::SignalKind::interrupt();
        let mut interrupt = tokio::signal::unix::signal(interrupt)?;
        eprintln!("{READY}");
        let asked = async {
            interrupt.recv().await;
        };
        let ignored = |_| std::ops::ControlFlow::Continue(());
        live.run(info, None, asked, None, ignored).await
    })
}

/// What [`trace`] says once it is attached.
pub(super) const READY: &str = "bench: ready";

/// Of v6trace's own buffers, by default.
const BUFFER_SIZE: usize = 1 << 20;

/// The first `count` hooks.
///
/// Those that are made here are kept for as long as the process lives, as the
/// table itself is.
fn table(count: usize) -> Result<Vec<&'static HookInfo>> {
    let further = FURTHER.iter().map(|function| {
        let candidate = Candidate {
            function,
            kprobes: STAND_IN,
            trampoline: None,
            needs: &[],
            note: None,
        };
        let info: &'static HookInfo = Box::leak(Box::new(HookInfo {
            hook: FORWARDING_CHANGED,
            name: function,
            about: "a stand-in",
            without: "nothing is measured",
            candidates: Box::leak(Box::new([candidate])),
        }));
        info
    });
    let own = HOOKS.iter().copied();
    let hooks: Vec<_> = own.chain(further).take(count).collect();
    ensure!(hooks.len() == count, "there are only {} hooks", hooks.len());
    Ok(hooks)
}
