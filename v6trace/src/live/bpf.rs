//! The system call `bpf`, for what aya does not do.

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

use aya_obj::generated::{bpf_attr, bpf_cmd, bpf_prog_info};

/// What the kernel tells of a loaded program.
pub(super) fn program_info(program: BorrowedFd<'_>) -> io::Result<bpf_prog_info> {
    // SAFETY: a struct of integers, of which all zeros are a value.
    let mut info: bpf_prog_info = unsafe { std::mem::zeroed() };
    let mut attr = empty();
    attr.info.bpf_fd = program.as_raw_fd().cast_unsigned();
    attr.info.info_len = u32::try_from(size_of_val(&info)).map_err(io::Error::other)?;
    attr.info.info = &raw mut info as u64;
    // SAFETY: the command writes at most `info_len` bytes to `info`, which is all
    // of it, and which outlives the call. No pointer in `info` is set.
    unsafe { bpf(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attr) }?;
    Ok(info)
}

/// Puts a perf event into a map of them.
pub(super) fn set_event(map: BorrowedFd<'_>, index: u32, event: BorrowedFd<'_>) -> io::Result<()> {
    let value = event.as_raw_fd();
    let mut attr = empty();
    // SAFETY: the member of the union for commands on elements, whose bytes are
    // all zero.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.map_fd = map.as_raw_fd().cast_unsigned();
    element.key = &raw const index as u64;
    element.__bindgen_anon_1.value = &raw const value as u64;
    // SAFETY: key and value of such a map have four bytes each, as these have;
    // the command reads them, and they outlive the call.
    unsafe { bpf(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attr) }
}

fn empty() -> bpf_attr {
    // SAFETY: a union of structs of integers, of which all zeros are a value.
    unsafe { std::mem::zeroed() }
}

/// Makes the call.
///
/// # Safety
/// The addresses in `attr` that the command reads or writes are those of memory
/// that the caller may so use, and of the size that the command expects there.
unsafe fn bpf(command: bpf_cmd, attr: &mut bpf_attr) -> io::Result<()> {
    let (command, size) = (command as libc::c_long, size_of_val(attr));
    // SAFETY: the command reads `attr`, whose size it is told; the caller sees to
    // what it leads to.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attr, size) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
