//! Probes by the address of their function.
//!
//! aya gives the kernel a function's name, and up to 6.1 the kernel goes through
//! all of its symbols to find it, later ones to see that it is the only one.
//! Here the symbols were read already: whoever knows the address hands it over.

use std::{
    fs, io, mem,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd},
    sync::OnceLock,
};

use aya::programs::{KProbe, ProbeKind};
use aya_obj::generated::{PERF_EVENT_IOC_SET_BPF, PERF_FLAG_FD_CLOEXEC, perf_event_attr};

/// Where the kernel says how its probes are asked for.
const SOURCE: &str = "/sys/bus/event_source/devices/kprobe";

/// A program at the entry or the return of a function, for as long as this
/// lives.
#[expect(dead_code, reason = "held for what its drop does")]
pub(super) struct Probe(OwnedFd);

impl Probe {
    /// Attaches a loaded program.
    pub(super) fn attach(program: &KProbe, address: u64) -> io::Result<Self> {
        let descriptor = program.fd().map_err(io::Error::other)?;
        let event = open(program.kind(), address)?;
        run(descriptor.as_fd(), &event)?;
        Ok(Self(event))
    }
}

/// What [`SOURCE`] says.
#[derive(Clone, Copy)]
struct Source {
    kind: u32,
    /// The bit of the configuration that asks for a return.
    returns: u32,
}

/// Read once: it is the same for every probe.
fn source() -> io::Result<Source> {
    static READ: OnceLock<Option<Source>> = OnceLock::new();
    let read = || {
        let kind = fs::read_to_string(format!("{SOURCE}/type")).ok()?;
        let returns = fs::read_to_string(format!("{SOURCE}/format/retprobe")).ok()?;
        Some(Source {
            kind: kind.trim().parse().ok()?,
            returns: returns.trim().strip_prefix("config:")?.parse().ok()?,
        })
    };
    let source = *READ.get_or_init(read);
    source.ok_or_else(|| io::Error::new(io::ErrorKind::Unsupported, SOURCE))
}

fn open(kind: ProbeKind, address: u64) -> io::Result<OwnedFd> {
    let source = source()?;
    // SAFETY: a struct of integers, of which all zeros are a value.
    let mut attr: perf_event_attr = unsafe { mem::zeroed() };
    attr.size = u32::try_from(size_of_val(&attr)).map_err(io::Error::other)?;
    attr.type_ = source.kind;
    attr.config = match kind {
        ProbeKind::Entry => 0,
        ProbeKind::Return => 1 << source.returns,
    };
    // Without a name it is the address that counts.
    attr.__bindgen_anon_4.kprobe_addr = address;
    // Of all processes; the program runs on every CPU, whichever is named here.
    let (process, cpu, group) = (-1, 0, -1);
    // SAFETY: the call reads `attr`, which tells its own size and outlives it.
    let opened = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attr,
            process,
            cpu,
            group,
            libc::c_ulong::from(PERF_FLAG_FD_CLOEXEC),
        )
    };
    match i32::try_from(opened) {
        // SAFETY: the kernel has just made the descriptor for this call, and
        // nobody else knows of it.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets a program run at an event, for as long as the event is open.
fn run(program: BorrowedFd<'_>, event: &OwnedFd) -> io::Result<()> {
    // Not as a link, which only 5.15 brought: this does the same on all.
    let request = PERF_EVENT_IOC_SET_BPF as libc::Ioctl;
    // SAFETY: the request takes a descriptor, which is open, and no memory.
    let result = unsafe { libc::ioctl(event.as_raw_fd(), request, program.as_raw_fd()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
