//! Multicast routing.
//!
//! `ip6_mroute_setsockopt` tests in this order: that it is a raw socket of ICMPv6
//! (EOPNOTSUPP), that its table is there (ENOENT), for all but MRT6_INIT that it is
//! the socket that routes, or CAP_NET_ADMIN (EACCES); then what each option takes.
//! MRT6_INIT: that nobody routes by the table yet (EADDRINUSE). MRT6_ADD_MIF: the
//! number of the virtual interface (ENFILE), that it is free (EADDRINUSE), the
//! interface (EADDRNOTAVAIL).

use super::{NUMBER, RAW, Story, Verdict, unexplained};
use crate::{
    errno::Errno,
    explain::Fix,
    families::option::{
        Cause, Interface, Multicasts, Router, Table,
        names::{
            MRT6_ADD_MFC, MRT6_ADD_MFC_PROXY, MRT6_ADD_MIF, MRT6_ASSERT, MRT6_DEL_MFC,
            MRT6_DEL_MFC_PROXY, MRT6_DEL_MIF, MRT6_DONE, MRT6_FLUSH, MRT6_INIT, MRT6_PIM,
            MRT6_TABLE,
        },
    },
};

const CAUSE: Cause = Cause::MulticastRouting;

/// `IPPROTO_ICMPV6`
const ICMPV6: u32 = 58;
/// `CAP_NET_ADMIN`
const NET_ADMIN: (&str, u32) = ("CAP_NET_ADMIN", 12);
/// Bytes of `mifi_t`, `struct mif6ctl` and `struct mf6cctl`.
const MIF_NUMBER: u32 = 2;
const MIF: u32 = 12;
const MFC: u32 = 92;
/// `RT6_TABLE_DFLT`
const DEFAULT_TABLE: u32 = 254;
/// Virtual interfaces that a table may have (`MAXMIFS`).
const MIFS: u32 = 32;
/// `MIFF_REGISTER`
const REGISTER: u32 = 1;

impl Story<'_> {
    pub(super) fn routing(&self) -> Verdict {
        let refused = self.refused;
        let verdict = match refused.errno {
            Errno::EOPNOTSUPP if self.is_no_router() => Verdict::certain(
                CAUSE,
                "multicasts are routed by a raw socket of ICMPv6, and this is none",
            ),
            Errno::ENOENT if self.is_there() == Some(false) => {
                let table = refused.table.map_or(0, |table| table.number);
                let why = format!("the network namespace has no table {table} of multicast routes");
                Verdict::certain(CAUSE, why)
                    .fix(Fix::new("set MRT6_TABLE before, which makes the table"))
            }
            Errno::EACCES => self.not_permitted(),
            Errno::EADDRINUSE if refused.option == MRT6_INIT => self.routed(),
            Errno::EBUSY if refused.option == MRT6_TABLE && self.router() == Router::ThisSocket => {
                Verdict::certain(
                    CAUSE,
                    "the socket routes by another table already (MRT6_INIT)",
                )
            }
            errno => {
                let length = self.wrong_length().filter(|_| errno == Errno::EINVAL);
                length.unwrap_or_else(|| self.of_option())
            }
        };
        // Whoever ends cleans up what may be gone already.
        let cleans_up = matches!(
            refused.option,
            MRT6_DONE | MRT6_DEL_MIF | MRT6_DEL_MFC | MRT6_DEL_MFC_PROXY
        );
        if cleans_up { verdict.notice() } else { verdict }
    }

    fn is_no_router(&self) -> bool {
        let socket = self.socket();
        socket.is_some_and(|socket| socket.kind != RAW || socket.number != ICMPV6)
    }

    /// Bytes that an option takes, and whether more are refused as well.
    const fn size(&self) -> Option<(u32, bool)> {
        match self.refused.option {
            MRT6_INIT => Some((NUMBER, false)),
            MRT6_ADD_MIF => Some((MIF, false)),
            MRT6_DEL_MIF => Some((MIF_NUMBER, false)),
            MRT6_ADD_MFC | MRT6_DEL_MFC | MRT6_ADD_MFC_PROXY | MRT6_DEL_MFC_PROXY => {
                Some((MFC, false))
            }
            MRT6_ASSERT | MRT6_PIM | MRT6_TABLE | MRT6_FLUSH => Some((NUMBER, true)),
            _ => None,
        }
    }

    fn wrong_length(&self) -> Option<Verdict> {
        let length = self.refused.length;
        let (size, is_exact) = self.size()?;
        let is_wrong = length < size || is_exact && length != size;
        is_wrong.then(|| {
            let why = format!("its value has {length} bytes, and it takes {size}");
            Verdict::certain(CAUSE, why)
        })
    }

    fn is_there(&self) -> Option<bool> {
        self.refused.table?.is_there
    }

    fn router(&self) -> Router {
        let table = self.refused.table;
        table.map_or(Router::Unknown, |Table { router, .. }| router)
    }

    fn not_permitted(&self) -> Verdict {
        let is_known = self.is_there() == Some(true);
        if self.router() == Router::ThisSocket || !is_known {
            return unexplained(CAUSE);
        }
        let is_read = self.router() != Router::Unknown;
        let who = self.who_routes();
        if self.refused.option == MRT6_DONE {
            let why = format!("only the socket that routes multicasts ends that: {who}");
            return if is_read {
                Verdict::certain(CAUSE, why)
            } else {
                Verdict::likely(CAUSE, why)
            };
        }
        let mut verdict = self.without(CAUSE, &[NET_ADMIN]);
        verdict.is_certain &= is_read;
        verdict.why = format!(
            "it is for the socket that routes multicasts ({who}); of others {}",
            verdict.why
        );
        verdict.fix(Fix::new(
            "set MRT6_INIT first: by the table that nobody has",
        ))
    }

    /// Who routes, within a sentence.
    fn who_routes(&self) -> String {
        match self.router() {
            Router::Nobody => "none does".to_owned(),
            Router::Unknown => "which one does could not be read".to_owned(),
            Router::ThisSocket => "this one does".to_owned(),
            Router::Other(inode) => {
                let found = inode.and_then(|inode| Multicasts::of(inode, self.subject));
                found.map_or_else(
                    || "another one does, of a process that was not found".to_owned(),
                    |found| format!("that of {} (pid {}) does", found.comm, found.pid),
                )
            }
        }
    }

    /// Somebody routes already.
    fn routed(&self) -> Verdict {
        let table = self.refused.table.map_or(0, |table| table.number);
        match self.router() {
            Router::Nobody | Router::Unknown => unexplained(CAUSE),
            Router::ThisSocket => {
                Verdict::certain(CAUSE, "the socket routes multicasts already (MRT6_INIT)").notice()
            }
            Router::Other(inode) => {
                let why = format!(
                    "one socket routes multicasts by each table, and for table {table} {}",
                    self.who_routes()
                );
                let found = inode.and_then(|inode| Multicasts::of(inode, self.subject));
                let stop = found.map_or_else(
                    || "stop the other program that routes multicasts".to_owned(),
                    |found| format!("stop {} (pid {})", found.comm, found.pid),
                );
                Verdict::certain(CAUSE, why).fix(Fix::new(format!(
                    "{stop}, or have one of the two use another table (MRT6_TABLE)"
                )))
            }
        }
    }

    /// What an option tests itself.
    fn of_option(&self) -> Verdict {
        if self.refused.option == MRT6_ADD_MIF {
            self.virtual_interface()
        } else {
            unexplained(CAUSE)
        }
    }

    /// A virtual interface that is to be routed by.
    fn virtual_interface(&self) -> Verdict {
        let refused = self.refused;
        let Some(value) = refused.value.map(i32::cast_unsigned) else {
            return unexplained(CAUSE);
        };
        let (number, flags) = (value & 0xffff, value >> 16 & 0xff);
        // It lists those of this table alone.
        let is_listed = refused
            .table
            .is_some_and(|table| table.number == DEFAULT_TABLE);
        match refused.errno {
            Errno::ENFILE if number >= MIFS => {
                let why =
                    format!("virtual interfaces have numbers below {MIFS}, and this is {number}");
                Verdict::certain(CAUSE, why)
            }
            Errno::EADDRINUSE if flags & REGISTER == 0 => {
                let why = format!("the table has a virtual interface {number} already");
                let verdict = Verdict::certain(CAUSE, why);
                if !is_listed {
                    return verdict;
                }
                verdict.fix(
                    self.subject
                        .command("cat /proc/net/ip6_mr_vif")
                        .remark("the virtual interfaces that there are"),
                )
            }
            Errno::EADDRNOTAVAIL if flags == 0 && refused.interface == Interface::Absent => {
                self.no_such_interface(CAUSE)
            }
            Errno::EINVAL if flags & !REGISTER != 0 => {
                let why =
                    format!("its flags are {flags}, and the kernel knows MIFF_REGISTER (1) alone");
                Verdict::certain(CAUSE, why)
            }
            _ => unexplained(CAUSE),
        }
    }
}
