//! Who routes multicasts: the socket of the table that a socket is for.

use v6trace_common::{
    families::option::{
        OptionRefused, ROUTED, ROUTED_BY_THIS, ROUTER_READ, STATE_READ, TABLE_FOUND, TABLE_READ,
        TABLES_READ,
    },
    member::ABSENT,
};

use super::globals;
use crate::{
    kernel::{Net, Sock},
    pointer::Pointer,
    search::functions,
};

/// `SOCK_RAW`
const RAW: u32 = 3;
/// `MRT6_BASE` and `MRT6_MAX`: the options that are for it.
const FIRST: u32 = 200;
const LAST: u32 = 212;
/// `RT6_TABLE_DFLT`, for a socket that names none.
const DEFAULT: u32 = 254;

/// Tables that are looked at.
const TABLES: u32 = 16;
/// Of `mroute_table`: there is none.
const NOWHERE: u64 = 0;
/// The same: that cannot be told.
const UNKNOWN: u64 = u64::MAX;

/// Who routes by the table that a raw socket is for.
#[inline(always)]
pub(super) fn of_table(sock: Sock<Pointer>, net: Net, payload: &mut OptionRefused) {
    payload.router_inode = 0;
    payload.table = 0;
    let is_read = payload.read & STATE_READ != 0;
    if !(FIRST..=LAST).contains(&payload.option) || !is_read || payload.sk_type != RAW {
        return;
    }
    let (table, read) = sock.0.flagged(&globals::RAW_TABLE, TABLE_READ);
    payload.read |= read;
    payload.table = if table == 0 { DEFAULT } else { table };
    match mroute_table(net.0.0, payload.table) {
        UNKNOWN => {}
        NOWHERE => payload.read |= TABLES_READ,
        found => {
            payload.read |= TABLES_READ | TABLE_FOUND;
            let (router, read) = Pointer(found).flagged(&globals::MR_TABLE_SOCKET, ROUTER_READ);
            payload.read |= read;
            let router = Pointer(router);
            if router.0 != 0 {
                payload.read |= ROUTED;
                payload.read |= if router.0 == sock.0.0 {
                    ROUTED_BY_THIS
                } else {
                    0
                };
                payload.router_inode = Sock(router).inode().unwrap_or(0);
            }
        }
    }
}

functions! {
    /// The address of the table with this number.
    fn mroute_table(net: u64, wanted: u32) -> u64 {
        if globals::MR_TABLE_LIST.load() == ABSENT || globals::MR_TABLE_ID.load() == ABSENT {
            return UNKNOWN;
        }
        let Some(head) = Pointer(net).member(&globals::NET_MROUTE_TABLES) else {
            return UNKNOWN;
        };
        let mut node = head;
        for _ in 0..TABLES {
            // `list_head.next` comes first.
            let Some(next) = node.read::<u64>() else {
                return UNKNOWN;
            };
            if next == head.0 {
                return NOWHERE;
            }
            node = Pointer(next);
            let table = Pointer(next.wrapping_sub(u64::from(globals::MR_TABLE_LIST.load())));
            match table.get::<u32>(&globals::MR_TABLE_ID) {
                Some(number) if number == wanted => return table.0,
                Some(_) => {}
                None => return UNKNOWN,
            }
        }
        UNKNOWN
    }
}
