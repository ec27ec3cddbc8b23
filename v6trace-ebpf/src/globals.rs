//! What userspace sets before the programs are loaded: the running kernel's
//! offsets and addresses, and the user's choices.
//!
//! The kernel freezes these values before it verifies the programs, so code
//! behind an absent member, or behind a choice not made, costs nothing. What one
//! family alone reads is declared in its own folder, by [`members!`].

use aya_ebpf::Global;

/// Makes a global of each member.
macro_rules! members {
    ($($global:ident: $path:literal;)*) => {
        $(
            #[doc = concat!("`", $path, "`")]
            #[unsafe(no_mangle)]
            pub(crate) static $global: aya_ebpf::Global<u32> =
                aya_ebpf::Global::new(v6trace_common::member::ABSENT);
        )*
    };
}
pub(crate) use members;

v6trace_common::kernel_members!(members);

/// Address of `__per_cpu_offset`, 0 without.
#[unsafe(no_mangle)]
pub(crate) static PER_CPU_OFFSET: Global<u64> = Global::new(0);

/// Per-CPU address of the preemption counter, 0 without.
#[unsafe(no_mangle)]
pub(crate) static PREEMPT_COUNT: Global<u64> = Global::new(0);

/// Address of `sysctl_optmem_max`, 0 without.
#[unsafe(no_mangle)]
pub(crate) static OPTMEM_MAX: Global<u64> = Global::new(0);

/// Not 0: report what succeeds as well (`--events`).
#[unsafe(no_mangle)]
pub(crate) static EMIT_ALL: Global<u8> = Global::new(0);

/// Not 0: log what the programs do, through aya-log.
#[unsafe(no_mangle)]
pub(crate) static DEBUG: Global<u8> = Global::new(0);
