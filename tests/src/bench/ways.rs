//! What each of the kernel's ways to watch functions costs at the start and at
//! the end: a program of two instructions at as many functions as so many hooks
//! watch, so that hardly anything else is measured.
//!
//! ```text
//! kprobes           a perf event for each, by the function's name; closed one
//!                   after the other
//! kprobes-at-once   the same, closed by a thread for each
//! kprobes-address   a perf event for each, by the function's address
//! multi             one kprobe-multi link for all entries, one for all returns
//! multi-each        a kprobe-multi link for each
//! ```

use std::ffi::CString;
use std::fs;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use aya_obj::generated::{
    BPF_F_KPROBE_MULTI_RETURN, bpf_attach_type, bpf_attr, bpf_cmd, bpf_prog_type, perf_event_attr,
};

use super::figure;
use super::hooks::{COUNTS, Probe, probes};

/// How often each is attached.
const REPETITIONS: usize = 3;

/// The perf events that are probes, as the kernel describes them.
const PROBES: &str = "/sys/bus/event_source/devices/kprobe";

/// `r0 = 0; exit`.
static PROGRAM: [u64; 2] = [0xb7, 0x95];

/// A way to watch functions.
struct Way {
    name: &'static str,
    /// Attaches to all of these, and gives what holds the program there.
    attach: fn(&[Probe]) -> Result<Vec<OwnedFd>>,
    detach: fn(Vec<OwnedFd>),
}

const WAYS: [Way; 5] = [
    Way {
        name: "kprobes",
        attach: by_name,
        detach: drop,
    },
    Way {
        name: "kprobes-at-once",
        attach: by_name,
        detach: drop_at_once,
    },
    Way {
        name: "kprobes-address",
        attach: by_address,
        detach: drop,
    },
    Way {
        name: "multi",
        attach: by_two_links,
        detach: drop,
    },
    Way {
        name: "multi-each",
        attach: by_links,
        detach: drop_at_once,
    },
];

pub(super) fn measure() -> Result<()> {
    for way in WAYS {
        let name = way.name;
        for count in COUNTS {
            let probes = probes(count)?;
            let (mut attached, mut detached) = (Vec::new(), Vec::new());
            for _ in 0..REPETITIONS {
                let start = Instant::now();
                let links = match (way.attach)(&probes) {
                    Ok(links) => links,
                    Err(error) => {
                        // Not every kernel has every way.
                        eprintln!("{name}: {error:#}");
                        break;
                    }
                };
                attached.push(start.elapsed().as_secs_f64() * 1e3);
                let start = Instant::now();
                (way.detach)(links);
                detached.push(start.elapsed().as_secs_f64() * 1e3);
            }
            if !attached.is_empty() {
                figure(&format!("attach-{count}"), name, &attached);
                figure(&format!("detach-{count}"), name, &detached);
            }
        }
    }
    Ok(())
}

/// Closes all at the same time.
fn drop_at_once(links: Vec<OwnedFd>) {
    thread::scope(|scope| {
        for link in links {
            scope.spawn(move || drop(link));
        }
    });
}

fn by_name(probes: &[Probe]) -> Result<Vec<OwnedFd>> {
    by_perf(probes, false)
}

fn by_address(probes: &[Probe]) -> Result<Vec<OwnedFd>> {
    by_perf(probes, true)
}

/// A perf event for each end of each function.
fn by_perf(probes: &[Probe], by_address: bool) -> Result<Vec<OwnedFd>> {
    let program = load(0)?;
    let read = |file: &str| {
        let file = format!("{PROBES}/{file}");
        fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))
    };
    let kind: u32 = read("type")?.trim().parse()?;
    let bit = read("format/retprobe")?;
    let bit: u32 = bit.trim().trim_start_matches("config:").parse()?;
    let mut events = Vec::new();
    for probe in probes {
        let name = CString::new(probe.function)?;
        for config in [0, 1 << bit] {
            if config != 0 && !probe.returns {
                continue;
            }
            // SAFETY: a struct of integers, of which all zeros are a value.
            let mut attr: perf_event_attr = unsafe { mem::zeroed() };
            attr.size = u32::try_from(size_of_val(&attr))?;
            attr.type_ = kind;
            attr.config = config;
            if by_address {
                attr.__bindgen_anon_4.config2 = probe.address;
            } else {
                attr.__bindgen_anon_3.config1 = name.as_ptr() as u64;
            }
            // SAFETY: the kernel reads the attributes, and the name that they
            // point at, which both outlive the call.
            let event =
                unsafe { libc::syscall(libc::SYS_perf_event_open, &raw const attr, -1, 0, -1, 0) };
            let event = descriptor(event).with_context(|| probe.function)?;
            for (request, argument) in [(SET_BPF, program.as_raw_fd()), (ENABLE, 0)] {
                // SAFETY: these requests take a number.
                let done = unsafe { libc::ioctl(event.as_raw_fd(), request, argument) };
                if done != 0 {
                    return Err(io::Error::last_os_error()).context("ioctl");
                }
            }
            events.push(event);
        }
    }
    Ok(events)
}

/// `PERF_EVENT_IOC_SET_BPF` and `PERF_EVENT_IOC_ENABLE`.
const SET_BPF: libc::Ioctl = 0x4004_2408;
const ENABLE: libc::Ioctl = 0x2400;

fn by_two_links(probes: &[Probe]) -> Result<Vec<OwnedFd>> {
    let program = load(bpf_attach_type::BPF_TRACE_KPROBE_MULTI as u32)?;
    let all: Vec<&str> = probes.iter().map(|probe| probe.function).collect();
    let returning = probes.iter().filter(|probe| probe.returns);
    let returning: Vec<&str> = returning.map(|probe| probe.function).collect();
    Ok(vec![
        link(&program, &all, 0)?,
        link(&program, &returning, BPF_F_KPROBE_MULTI_RETURN)?,
    ])
}

fn by_links(probes: &[Probe]) -> Result<Vec<OwnedFd>> {
    let program = load(bpf_attach_type::BPF_TRACE_KPROBE_MULTI as u32)?;
    let mut links = Vec::new();
    for probe in probes {
        links.push(link(&program, &[probe.function], 0)?);
        if probe.returns {
            links.push(link(
                &program,
                &[probe.function],
                BPF_F_KPROBE_MULTI_RETURN,
            )?);
        }
    }
    Ok(links)
}

/// A kprobe-multi link to all of these functions.
fn link(program: &OwnedFd, functions: &[&str], flags: u32) -> Result<OwnedFd> {
    let names: Vec<CString> = functions
        .iter()
        .map(|function| CString::new(*function))
        .collect::<Result<_, _>>()?;
    let names: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    // SAFETY: a union of structs of integers, of which all zeros are a value.
    let mut attr: bpf_attr = unsafe { mem::zeroed() };
    attr.link_create.__bindgen_anon_1.prog_fd = program.as_raw_fd().cast_unsigned();
    attr.link_create.attach_type = bpf_attach_type::BPF_TRACE_KPROBE_MULTI as u32;
    attr.link_create.__bindgen_anon_3.kprobe_multi.flags = flags;
    attr.link_create.__bindgen_anon_3.kprobe_multi.cnt = u32::try_from(names.len())?;
    attr.link_create.__bindgen_anon_3.kprobe_multi.syms = names.as_ptr() as u64;
    bpf(bpf_cmd::BPF_LINK_CREATE, &mut attr).context("kprobe-multi")
}

/// Loads the program.
fn load(attach_type: u32) -> Result<OwnedFd> {
    // SAFETY: a union of structs of integers, of which all zeros are a value.
    let mut attr: bpf_attr = unsafe { mem::zeroed() };
    attr.__bindgen_anon_3.prog_type = bpf_prog_type::BPF_PROG_TYPE_KPROBE as u32;
    attr.__bindgen_anon_3.expected_attach_type = attach_type;
    attr.__bindgen_anon_3.insn_cnt = u32::try_from(PROGRAM.len())?;
    attr.__bindgen_anon_3.insns = PROGRAM.as_ptr() as u64;
    attr.__bindgen_anon_3.license = c"GPL".as_ptr() as u64;
    bpf(bpf_cmd::BPF_PROG_LOAD, &mut attr).context("the program")
}

/// A call that gives a descriptor.
fn bpf(command: bpf_cmd, attr: &mut bpf_attr) -> Result<OwnedFd> {
    // SAFETY: the kernel reads and writes the attributes, of the size given.
    // What they point at is that of a caller, who keeps it for as long.
    let given = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            command as libc::c_long,
            std::ptr::from_mut(attr),
            size_of::<bpf_attr>(),
        )
    };
    Ok(descriptor(given)?)
}

fn descriptor(given: libc::c_long) -> io::Result<OwnedFd> {
    if given < 0 {
        return Err(io::Error::last_os_error());
    }
    let number = i32::try_from(given).map_err(io::Error::other)?;
    // SAFETY: the call has made it for nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
