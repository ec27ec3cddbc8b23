//! v6trace explains why IPv6 failed on this machine, from the kernel's own
//! values.
//!
//! How a failure becomes a sentence:
//!
//! ```text
//! kernel   v6trace-ebpf      probes write records into perf buffers
//! live     attach            the kernel's BTF and symbols -> programs -> hooks
//!          live, observe     perf buffers -> records in order, with what
//!                            userspace looks up beside them
//! any      record            the stream: all that an explanation rests on
//!          event             bytes -> event
//!          session           what the stream has told so far
//!          families          event + session -> diagnosis, a pure function
//!          check             the host as the session began -> findings, likewise
//!          why               of these, the answer to why a command failed
//!          report, render    -> text or JSON; fold: what repeats, as one
//!          top               -> the screen
//! ```
//!
//! Everything below `record` depends on the stream alone: not on the clock,
//! the filesystem or the network. What is above needs the feature `live` and
//! Linux; without it this is a library, and a program, for what was recorded.

#[cfg(feature = "live")]
pub mod attach;
#[cfg(any(feature = "live", fuzzing))]
pub mod btf;
pub mod catalogue;
pub mod check;
pub mod cli;
#[cfg(feature = "live")]
mod clock;
#[cfg(target_os = "linux")]
mod confine;
pub mod container;
pub mod coverage;
pub mod errno;
mod error_chain;
pub mod event;
pub mod explain;
pub mod families;
pub mod field;
pub mod filter;
pub mod fold;
pub mod frame;
mod ifa;
#[cfg(feature = "live")]
pub mod live;
#[cfg(feature = "live")]
pub mod observe;
mod prefix;
#[cfg(feature = "live")]
pub mod privilege;
pub mod record;
pub mod recording;
pub mod render;
pub mod report;
#[cfg(target_os = "linux")]
mod rights;
mod route_protocol;
mod rtnetlink;
pub mod session;
#[cfg(feature = "live")]
pub mod symbols;
mod together;
#[cfg(feature = "top")]
mod top;
pub mod why;
