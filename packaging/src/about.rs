//! What every package says of itself.

pub(crate) const NAME: &str = "v6trace";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) const SUMMARY: &str = "explains why IPv6 fails on this Linux machine";
pub(crate) const DESCRIPTION: &str = "\
IPv6 on Linux fails with an errno and no reason. v6trace watches the kernel
functions that return it and says which condition failed, with the values that
prove it and what to type next. It needs Linux 5.10 or later with BTF.";
/// Userspace, and the programs that the kernel runs.
pub(crate) const LICENCE: &str = "(MIT OR Apache-2.0) AND (MIT OR GPL-2.0-only)";
