//! Which `net.ipv6.conf` sysctl a handler is called for.

use aya_ebpf::Global;

use crate::{globals, pointer::Pointer};

/// Whose setting it is.
#[derive(Clone, Copy)]
pub(crate) enum Of {
    /// That of one interface, by its `inet6_dev`.
    Interface(Pointer),
    /// `conf.all`
    All,
    /// `conf.default`
    Default,
}

/// Whose setting the handler's `ctl_table` is; `member` of `ipv6_devconf` is where
/// such settings are kept.
#[inline(always)]
pub(crate) fn owner(table: Pointer, member: &Global<u32>) -> Option<Of> {
    let inet6_dev = table.follow(&globals::CTL_IDEV)?;
    if inet6_dev.0 != 0 {
        return Some(Of::Interface(inet6_dev));
    }
    let data = table.follow(&globals::CTL_DATA)?;
    let net = table.follow(&globals::CTL_NET)?;
    let is_in = |conf: &Global<u32>| {
        let at = net.follow(conf).and_then(|conf| conf.member(member));
        at.is_some_and(|at| at.0 == data.0)
    };
    if is_in(&globals::NET_DEVCONF_ALL) {
        Some(Of::All)
    } else if is_in(&globals::NET_DEVCONF_DEFAULT) {
        Some(Of::Default)
    } else {
        None
    }
}
