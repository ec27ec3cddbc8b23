//! The programs of each family of failures.

mod address;
mod advertisement;
mod anycast;
mod bind;
mod dad;
mod forwarding;
mod multicast_join;
mod neighbour;
mod option;
mod outgoing;
mod process;
mod request;
mod route;
mod set_token;
mod source_selection;
mod sysctl;
mod transit;
