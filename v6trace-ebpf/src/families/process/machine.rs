//! What of a system call is otherwise on each machine that the programs are compiled for.
//!
//! Records have the numbers of x86-64 from every machine.

pub(super) use own::{is_64_bit, of_sockets, stack};

/// System calls, by their numbers on x86-64.
pub(super) const SOCKET: u32 = 41;
pub(super) const CONNECT: u32 = 42;
pub(super) const SENDTO: u32 = 44;
pub(super) const RECVFROM: u32 = 45;
pub(super) const SENDMSG: u32 = 46;
pub(super) const RECVMSG: u32 = 47;
pub(super) const BIND: u32 = 49;
pub(super) const SETSOCKOPT: u32 = 54;
pub(super) const GETSOCKOPT: u32 = 55;
pub(super) const RECVMMSG: u32 = 299;
pub(super) const SENDMMSG: u32 = 307;

#[cfg(bpf_target_arch = "x86_64")]
mod own {
    use aya_ebpf::bindings::pt_regs;

    use super::*;

    /// `__USER_CS`
    const USER_CS: u16 = 0x33;

    /// A call on sockets, of which this is the machine's number.
    #[inline(always)]
    pub(in super::super) fn of_sockets(number: u32) -> Option<u32> {
        matches!(
            number,
            SOCKET
                | CONNECT
                | SENDTO
                | RECVFROM
                | SENDMSG
                | RECVMSG
                | BIND
                | SETSOCKOPT
                | GETSOCKOPT
                | RECVMMSG
                | SENDMMSG
        )
        .then_some(number)
    }

    /// Whether 64-bit code made the call, by `cs`: others have other numbers.
    #[inline(always)]
    pub(in super::super) fn is_64_bit(mode: u16) -> bool {
        mode == USER_CS
    }

    /// Where the stack is.
    #[inline(always)]
    pub(in super::super) fn stack(registers: &pt_regs) -> u64 {
        registers.rsp
    }
}

#[cfg(bpf_target_arch = "aarch64")]
mod own {
    use aya_ebpf::bindings::pt_regs;

    use super::*;

    /// `PSR_MODE32_BIT`
    const MODE_32_BIT: u16 = 0x10;

    /// A call on sockets, of which this is the machine's number.
    #[inline(always)]
    pub(in super::super) fn of_sockets(number: u32) -> Option<u32> {
        Some(match number {
            198 => SOCKET,
            200 => BIND,
            203 => CONNECT,
            206 => SENDTO,
            207 => RECVFROM,
            208 => SETSOCKOPT,
            209 => GETSOCKOPT,
            211 => SENDMSG,
            212 => RECVMSG,
            243 => RECVMMSG,
            269 => SENDMMSG,
            _ => return None,
        })
    }

    /// Whether 64-bit code made the call, by `pstate`: others have other numbers.
    #[inline(always)]
    pub(in super::super) fn is_64_bit(mode: u16) -> bool {
        mode & MODE_32_BIT == 0
    }

    /// Where the stack is.
    #[inline(always)]
    pub(in super::super) fn stack(registers: &pt_regs) -> u64 {
        registers.sp
    }
}
