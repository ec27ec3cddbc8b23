//! The bytes of a request → what it asks for, in the words of `ip`.
//!
//! ```text
//! what       the type of message -> What: of what sort it is
//! words      header and attributes -> "from 2001:db8::/32 lookup 100"
//! attribute  the place that the kernel points at -> "NDA_LLADDR"
//! ```
//!
//! Whatever the bytes are, there are words for them: what is not there, or of another
//! length, is left out.

mod attribute;
mod rule;
mod words;

use std::net::IpAddr;

pub(super) use attribute::at as attribute_at;
pub use words::{Asked, Entry};

/// Of what sort a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Settings of IPv6 of an interface.
    Settings,
    /// An address.
    Address,
    /// A route.
    Route,
    /// The way to an address.
    Way,
    /// An entry of the neighbour table.
    Neighbour,
    /// A rule, which says where to look for routes.
    Rule,
    /// A label, by which sources are chosen.
    Label,
    /// A nexthop object.
    NextHop,
    /// Something else.
    Other,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It is to be there.
    Add,
    /// It is to go.
    Delete,
    /// It is to be told.
    Get,
}

impl What {
    /// By `RTM_*`.
    pub(super) const fn of(message_type: u32) -> (Self, Deed) {
        match message_type {
            16 | 19 => (Self::Settings, Deed::Add),
            20 => (Self::Address, Deed::Add),
            21 => (Self::Address, Deed::Delete),
            24 => (Self::Route, Deed::Add),
            25 => (Self::Route, Deed::Delete),
            26 => (Self::Way, Deed::Get),
            28 => (Self::Neighbour, Deed::Add),
            29 => (Self::Neighbour, Deed::Delete),
            32 => (Self::Rule, Deed::Add),
            33 => (Self::Rule, Deed::Delete),
            72 => (Self::Label, Deed::Add),
            73 => (Self::Label, Deed::Delete),
            104 => (Self::NextHop, Deed::Add),
            105 => (Self::NextHop, Deed::Delete),
            _ => (Self::Other, Deed::Add),
        }
    }

    /// What it is called in a sentence.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Address => "address",
            Self::Route => "route",
            Self::Way => "the way to",
            Self::Neighbour => "neighbour",
            Self::Rule => "rule",
            Self::Label => "address label",
            Self::NextHop => "nexthop",
            Self::Other => "something",
        }
    }

    /// Bytes of its header, which attributes follow.
    const fn header(self) -> usize {
        match self {
            // `struct ifinfomsg`
            Self::Settings => 16,
            // `struct ifaddrmsg` and `struct nhmsg`
            Self::Address | Self::NextHop => 8,
            // `struct rtmsg`, `struct ndmsg`, `struct fib_rule_hdr`, `struct ifaddrlblmsg`
            Self::Route | Self::Way | Self::Neighbour | Self::Rule | Self::Label => 12,
            // `struct rtgenmsg`, to the next word
            Self::Other => 4,
        }
    }
}

/// "default" is for routes alone: "2001:db8::/32"
fn prefix(address: IpAddr, bits: u8) -> String {
    format!("{address}/{bits}")
}
