//! The kernel's flags of an address (`IFA_F_*` of `linux/if_addr.h`), wherever
//! they are read.

/// It was made to be given up again (RFC 8981).
pub(crate) const TEMPORARY: u32 = 0x01;
/// It is not tested.
pub(crate) const NODAD: u32 = 0x02;
/// It is used while it is under test.
pub(crate) const OPTIMISTIC: u32 = 0x04;
/// It failed its test.
pub(crate) const DADFAILED: u32 = 0x08;
/// It is a home address (RFC 6275).
pub(crate) const HOMEADDRESS: u32 = 0x10;
/// It is used no more by what begins now.
pub(crate) const DEPRECATED: u32 = 0x20;
/// It is under test.
pub(crate) const TENTATIVE: u32 = 0x40;
/// It has no lifetime.
pub(crate) const PERMANENT: u32 = 0x80;
/// The kernel makes temporary addresses beside it.
pub(crate) const MANAGETEMPADDR: u32 = 0x100;
/// Its prefix has no route.
pub(crate) const NOPREFIXROUTE: u32 = 0x200;
/// The kernel joins the multicast group that it is.
pub(crate) const MCAUTOJOIN: u32 = 0x400;
/// It was made from a secret (RFC 7217).
pub(crate) const STABLE_PRIVACY: u32 = 0x800;

/// Who made an address, by its `IFAPROT_*`, where that says more than a number. Names
/// for other numbers are everybody's own.
pub(crate) const fn maker(made_by: u32) -> Option<&'static str> {
    match made_by {
        // IFAPROT_KERNEL_LO and IFAPROT_KERNEL_LL; IFAPROT_KERNEL_RA.
        1 | 3 => Some("the kernel"),
        2 => Some("a router advertisement"),
        _ => None,
    }
}
