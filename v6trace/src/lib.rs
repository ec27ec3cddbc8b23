//! v6trace explains why IPv6 failed on this machine, from the kernel's own
//! values.
//!
//! How a failure becomes a sentence:
//!
//! ```text
//! kernel   v6trace-ebpf      kprobes write records into perf buffers
//! live     attach            the kernel's BTF and symbols -> programs -> hooks
//!          live, observe     perf buffers -> records in order, with what
//!                            userspace looks up beside them
//! any      record            the stream: all that an explanation rests on
//!          decode            bytes -> event
//!          session           what the stream has told so far
//!          diagnose          event + session -> diagnosis, a pure function
//!          report, render    -> text or JSON
//! ```
//!
//! Everything below `record` depends on the stream alone: not on the clock,
//! the filesystem or the network.
//!
//! To explain one more failure: a file per side with the same name
//! (`v6trace-common`, `v6trace-ebpf`, [`decode`], [`diagnose`]), a line in each
//! table (`HOOKS`, `MEMBERS`, `Kind`, [`catalogue`]), and the matches that the
//! compiler then points at.

pub mod attach;
pub mod btf;
pub mod catalogue;
mod causes;
pub mod cli;
mod clock;
pub mod decode;
pub mod diagnose;
pub mod errno;
pub mod filter;
pub mod live;
pub mod observe;
pub mod privilege;
pub mod record;
pub mod recording;
pub mod render;
pub mod report;
pub mod session;
pub mod symbols;
