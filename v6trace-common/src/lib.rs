//! The wire contract between v6trace's kernel side and its userspace.
//!
//! Both sides compile this crate, so a change here is a change of both:
//!
//! ```text
//! families   one file for each family of failures, one line each in FAMILIES:
//!              hooks     which kernel function each watches, by which programs
//!              members   which members of kernel structs the programs read;
//!                        userspace finds their offsets in the running kernel's
//!                        BTF and hands them over
//!              payloads  what a record holds behind its RecordHeader, by Kind
//! kernel     members that more than one family reads
//! ```
//!
//! A record is written by the kernel side in one piece into a per-CPU perf
//! buffer: a [`RecordHeader`], then the payload of its [`Kind`]. All numbers
//! are little-endian, as on every machine for which the programs are built.
//! Every type that crosses the boundary derives zerocopy's `IntoBytes`, which
//! refuses a type with padding at compile time: a record holds no byte that
//! nobody wrote.
#![no_std]

pub mod families;
pub mod header;
pub mod held;
pub mod hook;
pub mod kernel;
pub mod kind;
pub mod loss;
pub mod member;
pub mod neighbour;

pub use families::{FAMILIES, Family};
pub use header::{COMM_LEN, Context, RecordHeader, WIRE_VERSION};
pub use hook::{Candidate, HOOK_COUNT, HOOKS, Hook, HookInfo, Programs};
pub use kind::{Kind, Payload};
pub use loss::HookLoss;

/// Bytes of an interface name in the kernel, terminating NUL included (`IFNAMSIZ`).
pub const INTERFACE_NAME_LEN: usize = 16;
