//! Socket options that the standard library and its companions do not offer.

use std::ffi::c_int;
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd as _};

/// `MCAST_JOIN_GROUP`, from `linux/in.h`.
pub(super) const MCAST_JOIN_GROUP: c_int = 42;
/// `MCAST_JOIN_SOURCE_GROUP`, from `linux/in.h`.
pub(super) const MCAST_JOIN_SOURCE_GROUP: c_int = 46;

/// `struct group_req` of RFC 3678.
#[repr(C)]
pub(super) struct GroupReq {
    interface: u32,
    group: libc::sockaddr_storage,
}

/// `struct group_source_req` of RFC 3678.
#[repr(C)]
pub(super) struct GroupSourceReq {
    interface: u32,
    group: libc::sockaddr_storage,
    source: libc::sockaddr_storage,
}

// The kernel compares optlen with its own sizes.
const _: () = assert!(size_of::<GroupReq>() == 136);
const _: () = assert!(size_of::<GroupSourceReq>() == 264);

impl GroupReq {
    pub(super) fn new(ifindex: u32, group: Ipv6Addr) -> Self {
        Self {
            interface: ifindex,
            group: storage(group),
        }
    }
}

impl GroupSourceReq {
    pub(super) fn new(ifindex: u32, group: Ipv6Addr, source: Ipv6Addr) -> Self {
        Self {
            interface: ifindex,
            group: storage(group),
            source: storage(source),
        }
    }
}

fn storage(address: Ipv6Addr) -> libc::sockaddr_storage {
    let address = socket2::SockAddr::from(SocketAddrV6::new(address, 0, 0, 0));
    // SAFETY: sockaddr_storage is plain old data, for which zeroes are valid.
    let mut storage: libc::sockaddr_storage = unsafe { zeroed() };
    let length = address.len() as usize;
    // SAFETY: socket2 guarantees `length` valid bytes behind as_ptr(), never
    // more than a sockaddr_storage, and the two do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(
            address.as_ptr().cast::<u8>(),
            (&raw mut storage).cast::<u8>(),
            length,
        );
    }
    storage
}

/// Sets an option to a fixed-size value.
pub(crate) fn set<T>(socket: impl AsFd, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: a shared reference to T is readable for size_of::<T>() bytes, and
    // the kernel copies whatever they are, padding included.
    let bytes =
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) };
    set_bytes(socket, level, name, bytes)
}

/// Sets an option to these bytes.
pub(super) fn set_bytes(
    socket: impl AsFd,
    level: c_int,
    name: c_int,
    value: &[u8],
) -> io::Result<()> {
    let length = libc::socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open while it is borrowed, and the kernel only
    // reads `length` bytes of `value`.
    let done = unsafe { libc::setsockopt(fd, level, name, value.as_ptr().cast(), length) };
    if done == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// What `SO_MEMINFO` says of the socket's option memory: `sk_omem_alloc`, bytes.
pub(super) fn option_memory(socket: impl AsFd) -> io::Result<u64> {
    /// Index of `SK_MEMINFO_OPTMEM` in `linux/sock_diag.h`.
    const OPTMEM: usize = 6;
    let mut values = [0u32; 9];
    // An array of nine words; its size fits any integer.
    #[expect(clippy::cast_possible_truncation)]
    let mut length = size_of_val(&values) as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the descriptor is open while it is borrowed; the kernel writes at
    // most `length` bytes to `values` and the new length to `length`.
    let done = unsafe {
        libc::getsockopt(
            fd,
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if done == 0 {
        Ok(u64::from(values[OPTMEM]))
    } else {
        Err(io::Error::last_os_error())
    }
}
