//! The vocabulary of scenarios: what an administrator and a daemon do to a
//! host's IPv6, and what v6trace reports of it.
//!
//! A scenario makes a place ([`Netns`], [`Link`]), starts a [`Tracing`]
//! (or a [`Tracer`] of its own), lets something fail ([`MulticastSocket`], [`ip()`]), and compares what the tracer's
//! [`Report`] says ([`Diagnosis::expect`]) with what it did itself and with
//! what the kernel tells it by other ways than tracing.

mod advertiser;
mod bird;
mod checked;
mod command;
mod daemons;
mod diagnosis;
mod expect;
mod frr;
mod iproute;
mod joins;
mod kernel;
mod lines;
mod link;
mod module;
mod netns;
mod network_manager;
mod networkd;
mod optmem;
mod radvd;
mod recording;
mod report;
mod routes;
mod rtnetlink;
mod segment;
mod sends;
mod setsockopt;
mod socket;
mod storm;
pub(crate) mod symbols;
mod tap;
mod terminal;
mod tracer;
mod tracing;
mod tun;
mod uplink;
mod wait;

pub(crate) use advertiser::{AdvertisedPrefix, Advertisement, Advertiser, redirect};
pub(crate) use bird::Bird;
pub(crate) use checked::Checked;
pub(crate) use command::{Finished, finish};
pub(crate) use daemons::Daemon;
pub(crate) use diagnosis::Diagnosis;
pub(crate) use expect::Expect;
pub(crate) use frr::Frr;
pub(crate) use iproute::{ip, ip_batch, ip_fails};
pub(crate) use joins::{Joins, Refused, group, join_each, join_until_refused};
pub(crate) use kernel::{check_membership_size, membership_size};
pub(crate) use lines::Lines;
pub(crate) use link::Link;
pub(crate) use module::Unloaded;
pub(crate) use netns::Netns;
pub(crate) use network_manager::NetworkManager;
pub(crate) use networkd::Networkd;
pub(crate) use optmem::{OptmemMax, Scope};
pub(crate) use radvd::Radvd;
pub(crate) use recording::Recording;
pub(crate) use report::Report;
pub(crate) use routes::{default_route, default_routes, renewed};
pub(crate) use rtnetlink::{
    AddressRequest, NeighbourRequest, Netlink, RouteRequest, attribute, set_up,
};
pub(crate) use segment::{AddressState, Segment};
pub(crate) use sends::send_from;
pub(crate) use setsockopt::set as set_option;
pub(crate) use socket::MulticastSocket;
pub(crate) use storm::fail_at_a_rate;
pub(crate) use tap::Taps;
pub(crate) use terminal::Terminal;
pub(crate) use tracer::{Tracer, v6trace, watch};
pub(crate) use tracing::{Answer, Ask, Tracing, is_of, join_batch, place, traced};
pub(crate) use tun::Tun;
pub(crate) use uplink::{host_and_router, second_link};
pub(crate) use wait::{until, until_some};
