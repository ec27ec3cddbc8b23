//! v6trace's kernel side: the eBPF programs, one file or folder per family of
//! hooks.
//!
//! ```text
//! kprobe entry -> `calls` in flight
//! kprobe return -> reads the deciding values through `pointer` and `kernel` at
//!                  the offsets in `globals` -> a record in per-CPU `scratch`
//!                  -> `limit`, where the same may come often -> `output`
//! ```
//!
//! Nothing is decided here beyond whether userspace needs the record: the
//! programs read, and userspace judges.
#![no_std]
#![no_main]

mod address;
mod attachment;
mod attributes;
mod calls;
mod context;
mod devices;
mod families;
mod globals;
mod interface_addresses;
mod kernel;
mod limit;
mod neighbour;
mod netlink;
mod output;
mod pointer;
mod programs;
mod refusals;
mod scratch;
mod search;
mod sysctl;
mod volatile;

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // The compiler drops every call to this: the verifier refuses a loop.
    loop {}
}

/// Lets the kernel allow the helpers that it keeps for GPL programs.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
