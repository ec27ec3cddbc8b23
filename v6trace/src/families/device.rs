//! An interface that a request names, as the kernel side found it when the request had
//! failed, whichever family's.

use crate::event::Name;

/// Whether it is there, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device<T = Interface> {
    /// None has that index.
    Absent,
    /// None is named, or it could not be looked for.
    Unknown,
    /// It is there.
    Found(T),
}

/// What routes and addresses want to know of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: Name,
    /// `IFF_*`
    pub flags: Option<u32>,
    /// Its MTU, bytes.
    pub mtu: Option<u32>,
    /// Whether it has IPv6 (`net_device.ip6_ptr`).
    pub has_ipv6: Option<bool>,
    /// `net.ipv6.conf.IF.disable_ipv6`
    pub disable_ipv6: Option<i32>,
}

impl<T> Device<T> {
    /// By what was found; `read` gives what is known of it.
    pub(super) fn of(is_found: bool, is_absent: bool, read: impl FnOnce() -> T) -> Self {
        if is_found {
            Self::Found(read())
        } else if is_absent {
            Self::Absent
        } else {
            Self::Unknown
        }
    }

    /// What is known of it, where it is there.
    pub fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::Unknown => None,
        }
    }

    /// Whether it is known that there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl Device {
    /// Its name, where it is there.
    pub fn name(&self) -> Option<&str> {
        self.found().map(|interface| interface.name.as_str())
    }
}
