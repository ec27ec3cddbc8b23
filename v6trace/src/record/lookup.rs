//! What userspace looked up beside the kernel's records, and so put into the
//! stream: one line for each thing, with its number in recordings and the
//! longest that it may be there.

use serde::Serialize;
use serde_json::Value;

use super::{Namespace, Process, Quiet, Record};
use crate::{
    check::{Checked, Snapshot},
    families::{
        address::Settled,
        advertisement::Standing,
        anycast::AnycastUse,
        bind::{PortUse, Whereabouts},
        dad::Surroundings,
        neighbour::{Advertised, Beside, TableUse},
        option::Multicasts,
        outgoing::Reach,
        process::{CommandEnded, Following},
        route::Paths,
        source_selection::Addresses,
        transit::Onward,
    },
};

/// Something that was looked up.
pub trait Finding {
    /// Processes that it names: the network namespace that each is in, and its
    /// id.
    fn inhabitants(&self) -> &[(u32, u32)] {
        &[]
    }
}

/// A [`Finding`] that has a line in the table.
pub trait Listed: Finding {
    /// Itself, if `lookup` is one of its kind.
    fn of(lookup: &Lookup) -> Option<&Self>;
}

/// Bytes at most of an entry that says one thing, such as a name.
const SMALL: usize = 2 << 10;
/// Bytes at most of one that lists what a host has: all that a frame may hold.
const LARGE: usize = crate::recording::MAX_CONTENT;

macro_rules! lookups {
    ($($(#[doc = $about:literal])* $name:ident = $number:literal, $limit:ident;)*) => {
        /// What was looked up.
        #[derive(Clone, Debug)]
        pub enum Lookup {
            $($(#[doc = $about])* $name($name),)*
        }

        impl Lookup {
            /// Its number in recordings.
            #[cfg(feature = "live")]
            pub(crate) const fn kind(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $number,)*
                }
            }

            /// How many bytes an entry with this number may have; `None` where it
            /// is not one of these.
            pub(crate) const fn limit(kind: u16) -> Option<usize> {
                match kind {
                    $($number => Some($limit),)*
                    _ => None,
                }
            }

            /// Reads an entry with this number.
            pub(crate) fn read(kind: u16, value: Value) -> serde_json::Result<Option<Self>> {
                Ok(match kind {
                    $($number => Some(Self::$name(serde_json::from_value(value)?)),)*
                    _ => None,
                })
            }

            /// Processes that it names, by network namespace.
            pub(crate) fn inhabitants(&self) -> &[(u32, u32)] {
                match self {
                    $(Self::$name(found) => found.inhabitants(),)*
                }
            }
        }

        impl Serialize for Lookup {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$name(found) => found.serialize(serializer),)*
                }
            }
        }

        $(
            impl Listed for $name {
                fn of(lookup: &Lookup) -> Option<&Self> {
                    match lookup {
                        Lookup::$name(found) => Some(found),
                        _ => None,
                    }
                }
            }

            impl From<$name> for Lookup {
                fn from(found: $name) -> Self {
                    Self::$name(found)
                }
            }

            impl From<$name> for Record {
                fn from(found: $name) -> Self {
                    Self::Lookup(found.into())
                }
            }
        )*
    };
}
lookups! {
    /// What a network namespace is called.
    Namespace = 3, SMALL;
    /// What runs a process.
    Process = 4, SMALL;
    /// What interfaces and IPv4 addresses a network namespace has.
    Addresses = 5, LARGE;
    /// Who uses an address that the host has just taken as anycast.
    AnycastUse = 6, LARGE;
    /// What is around an interface.
    Surroundings = 7, LARGE;
    /// What an interface has beside router advertisements.
    Standing = 12, LARGE;
    /// Where an address is that a socket was refused.
    Whereabouts = 13, LARGE;
    /// What routes and addresses there are for a destination.
    Reach = 14, LARGE;
    /// Which sockets have a port that a socket was refused.
    PortUse = 15, LARGE;
    /// Which process routes multicasts.
    Multicasts = 16, SMALL;
    /// What has become of an interface that came up without a link-local address.
    Settled = 17, SMALL;
    /// What routes there are beside one that was refused.
    Paths = 18, LARGE;
    /// What fills the table of neighbours.
    TableUse = 19, LARGE;
    /// What is known of a neighbour that does not answer.
    Beside = 20, LARGE;
    /// Where an address of a proxy is, and what forwarding would take away.
    Advertised = 21, LARGE;
    /// What a network namespace has when the session begins.
    Snapshot = 22, LARGE;
    /// That these are all snapshots, and what could not be seen.
    Checked = 23, SMALL;
    /// Whether a packet was for this host, and what forwarding would take away.
    Onward = 24, LARGE;
    /// That the end of what has begun does not come.
    Quiet = 25, SMALL;
    /// That processes are followed, as the session begins.
    Following = 33, LARGE;
    /// How the command that is followed ended.
    CommandEnded = 34, SMALL;
}
