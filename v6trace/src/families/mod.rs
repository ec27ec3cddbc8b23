//! The families of failures, a folder each: how a record's payload is decoded,
//! what is looked up beside it, why it failed, the causes and their pages.
//!
//! ```text
//! bytes -> decode -> Payload: Occurrence
//!                      |-- interface, is_failure ...  what filters want to know
//!                      |-- fields                     for --events
//!                      |-- look_up (live only)        what is put into the stream
//!                      `-- explain -> Diagnosis
//! ```
//!
//! A `mod` and a line in the table below make a family known.

/// The interface of an [`Occurrence`] that is about one, and always knows its index and
/// name.
macro_rules! of_its_interface {
    ($($part:ident)?) => {
        fn ifindex(&self) -> Option<u32> {
            Some(self.$($part.)?ifindex)
        }

        fn interface(&self) -> Option<&str> {
            Some(&self.$($part.)?interface)
        }
    };
}
use of_its_interface;

// One by one, so that `cargo fmt` finds them.
pub mod address;
pub mod advertisement;
pub mod anycast;
pub mod bind;
pub mod dad;
pub mod device;
pub mod forwarding;
pub mod multicast_join;
pub mod neighbour;
pub mod option;
pub mod outgoing;
pub mod process;
pub mod request;
pub mod route;
pub mod set_token;
pub mod source_selection;
pub mod sysctl;
pub mod transit;

use std::{fmt, net::IpAddr};

use v6trace_common::{FAMILIES as WIRE, Hook, Kind, RecordHeader};
use zerocopy::FromBytes;

use crate::{
    catalogue,
    event::{DecodeError, body},
    explain::{Diagnosis, Subject},
    field::Take,
    frame::Frame,
};

/// What happened, as far as everything but its own family wants to know.
pub trait Occurrence: fmt::Debug {
    /// Whether an operation failed.
    fn is_failure(&self) -> bool;

    /// Whether it may need an explanation, as nothing does that went as usual.
    fn is_remarkable(&self) -> bool {
        self.is_failure()
    }

    /// The index of the interface concerned, where it is one that is known.
    fn ifindex(&self) -> Option<u32>;

    /// Its name, where that is known.
    fn interface(&self) -> Option<&str>;

    /// Whether it may concern the interface with this name, among others.
    fn concerns(&self, interface: &str) -> bool {
        self.interface() == Some(interface)
    }

    /// The frame of neighbour discovery that it is about.
    fn frame(&self) -> Option<&Frame> {
        None
    }

    /// Where the packet was on its way to, of what is about one.
    fn host(&self) -> Option<IpAddr> {
        None
    }

    /// The hook that sees the end of what it is a part of, where that is something that
    /// reads better as one.
    fn part_of(&self) -> Option<Hook> {
        None
    }

    /// That end, where it is one.
    fn ends(&self) -> Option<&dyn Whole> {
        None
    }

    /// Gives the names and values of what it carries.
    fn fields(&self, take: Take<'_>);

    /// Why it failed, if it did.
    fn explain(&self, subject: Subject<'_>) -> Option<Diagnosis>;

    /// Everything that failed, of what holds several things.
    fn explain_each(&self, subject: Subject<'_>) -> Vec<Diagnosis> {
        self.explain(subject).into_iter().collect()
    }
}

/// The end of something that a thread did, and that has more than one part.
pub trait Whole {
    /// When it began, nanoseconds since boot.
    fn began_ns(&self) -> u64;

    /// What is said of two parts or more, as one; the subject is the end.
    fn together(&self, subject: Subject<'_>, parts: Vec<Diagnosis>) -> Diagnosis;
}

/// What is made of a payload of the wire.
pub(crate) trait Decode {
    /// That payload.
    type Wire: v6trace_common::Payload + FromBytes;

    /// Reads it; what the kernel side could not read is `None`.
    fn from_wire(wire: &Self::Wire) -> Self;
}

/// A family, as userspace knows it.
#[derive(Debug)]
pub struct Family {
    /// What both sides know of it.
    pub wire: &'static v6trace_common::Family,
    causes: fn() -> Vec<catalogue::Cause>,
}

impl Family {
    /// The causes that it can name.
    pub fn causes(&self) -> Vec<catalogue::Cause> {
        (self.causes)()
    }
}

macro_rules! families {
    ($($family:ident { $($payload:ident),* $(,)? })*) => {
        /// Every family.
        pub const FAMILIES: &[Family] = &[$(
            Family {
                wire: &v6trace_common::families::$family::FAMILY,
                causes: || $family::Cause::ALL.iter().map(|&cause| cause.into()).collect(),
            },
        )*];

        /// How many payloads each has.
        const PAYLOADS: &[usize] = &[$([$(stringify!($payload)),*].len()),*];

        /// What happened, by kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Payload {
            $($(
                #[doc = concat!("See [`", stringify!($payload), "`](", stringify!($family), ").")]
                $payload($family::$payload),
            )*)*
        }

        $($(
            impl From<$family::$payload> for Payload {
                fn from(payload: $family::$payload) -> Self {
                    Self::$payload(payload)
                }
            }
        )*)*

        impl Payload {
            /// Decodes what follows a header.
            #[inline]
            pub(crate) fn decode(header: &RecordHeader, rest: &[u8]) -> Result<Self, DecodeError> {
                $($(
                    if header.kind == kind_of::<$family::$payload>().0 {
                        return Ok(Self::$payload(Decode::from_wire(&body(header, rest)?)));
                    }
                )*)*
                Err(DecodeError::UnknownKind(header.kind))
            }

            /// What happened, whatever it is.
            pub fn occurrence(&self) -> &dyn Occurrence {
                match self {
                    $($(Self::$payload(payload) => payload,)*)*
                }
            }
        }
    };
}
families! {
    multicast_join { MulticastJoin }
    set_token { SetToken }
    source_selection { SourceSelection }
    anycast { AnycastChange, AnycastRequest }
    forwarding { DefaultRoutesPurged, ForwardingWritten }
    dad { DadFailure, DadReflection }
    address {
        AddressRequest,
        AddressesLost,
        SettingsRefused,
        TemporaryStopped,
        LinkLocalMissing,
    }
    advertisement {
        RouterAdvertisement,
        RouterMessageIgnored,
        AdvertisedAddressRefused,
        SolicitationsUnanswered,
    }
    bind { LocalAddressRefused, SocketRefused }
    outgoing { OutgoingLookup, ScopeMissing }
    option { OptionRefused }
    sysctl { SysctlRefused }
    route { RouteRefused, RoutesGone }
    request { RequestRefused }
    neighbour { NeighbourTableFull, NeighbourSilent, NeighbourProxyIdle }
    transit { NotForwarded, PacketDropped }
    process { ProcessStarted, SystemCall, Innermost }
}

/// The kind of the records that something is decoded from.
const fn kind_of<D: Decode>() -> Kind {
    <D::Wire as v6trace_common::Payload>::KIND
}

// A family, or one of its payloads, that the kernel side has and this one has
// no line for.
const _: () = {
    assert!(FAMILIES.len() == WIRE.len(), "families! lacks a family");
    let mut index = 0;
    while index < WIRE.len() {
        assert!(
            PAYLOADS[index] == FAMILIES[index].wire.payloads.len(),
            "families! lacks a payload of a family"
        );
        index += 1;
    }
};
