//! Default routes of router advertisements that `rt6_purge_dflt_routers`
//! removed, since somebody wrote a forwarding sysctl.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::INTERFACE_NAME_LEN;

/// Routes that a record has room for.
pub const ROUTES: usize = 8;

/// Payload of
/// [`Kind::DefaultRoutesPurged`](crate::Kind::DefaultRoutesPurged), written
/// only where a route was removed.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct DefaultRoutesPurged {
    /// The first of the routes.
    pub routes: [PurgedRoute; ROUTES],
    /// Name of the interface whose forwarding was written, NUL-padded
    /// ([`WRITTEN_INTERFACE`](crate::anycast::WRITTEN_INTERFACE)).
    pub written_interface: [u8; INTERFACE_NAME_LEN],
    /// Which forwarding sysctl was written, as in
    /// [`AnycastChange`](crate::AnycastChange).
    pub written: u32,
    /// How many routes were removed; those beyond [`ROUTES`] are not in
    /// `routes`.
    pub count: u32,
}

/// One route that was removed.
#[repr(C)]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PurgedRoute {
    /// The router.
    pub gateway: [u8; 16],
    /// Name of the interface, NUL-padded.
    pub interface: [u8; INTERFACE_NAME_LEN],
    /// Index of the interface.
    pub ifindex: u32,
    /// `net.ipv6.conf.IF.forwarding`, -1 where it could not be read.
    pub forwarding: i32,
    /// `net.ipv6.conf.IF.accept_ra`, -1 where it could not be read.
    pub accept_ra: i32,
    /// The route's table: `fib6_table.tb6_id`, 0 where it could not be read.
    pub table: u32,
}

const _: () = assert!(size_of::<PurgedRoute>() == 48);
const _: () = assert!(size_of::<DefaultRoutesPurged>() == 408);
