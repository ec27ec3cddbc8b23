//! Records that are held back in a map for a while, since the like was reported
//! a moment before.

/// Nanoseconds that the same occasion is not reported again: the newest record
/// is held back instead.
pub const QUIET_NS: u64 = 1_000_000_000;

/// Bytes of a key of the maps of records held back: an address or two numbers, the
/// network namespace's inode number and two more, such as the interface's index.
pub const KEY_LEN: usize = 24;
