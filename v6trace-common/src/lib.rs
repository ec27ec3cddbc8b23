//! The wire contract between v6trace's kernel side and its userspace.
//!
//! Both sides compile this crate, so a change here is a change of both:
//!
//! ```text
//! HOOKS    which kernel function each hook watches, with which programs
//! MEMBERS  which members of kernel structs the programs read; userspace looks
//!          their offsets up in the running kernel's BTF and hands them over
//! Kind     what a record is: a RecordHeader followed by the kind's payload
//! ```
//!
//! A record is written by the kernel side in one piece into a per-CPU perf
//! buffer: a [`RecordHeader`], then the payload of its [`Kind`]. All numbers
//! are little-endian, as on every machine for which the programs are built.
//! Every type that crosses the boundary derives zerocopy's `IntoBytes`, which
//! refuses a type with padding at compile time: a record holds no byte that
//! nobody wrote.
#![no_std]

pub mod anycast;
pub mod dad;
pub mod forwarding;
pub mod header;
pub mod hooks;
pub mod kind;
pub mod loss;
pub mod members;
pub mod multicast_join;
pub mod set_token;
pub mod source_selection;

pub use anycast::AnycastChange;
pub use dad::{DadFailure, DadReflection, NeighbourFrame};
pub use forwarding::DefaultRoutesPurged;
pub use header::{COMM_LEN, Context, RecordHeader, WIRE_VERSION};
pub use hooks::{Candidate, HOOKS, Hook, HookInfo, Programs};
pub use kind::Kind;
pub use loss::HookLoss;
pub use multicast_join::MulticastJoin;
pub use set_token::SetToken;
pub use source_selection::SourceSelection;

/// Bytes of an interface name in the kernel, terminating NUL included (`IFNAMSIZ`).
pub const INTERFACE_NAME_LEN: usize = 16;
