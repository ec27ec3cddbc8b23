//! From the embedded eBPF object to hooks that fire.
//!
//! ```text
//! BTF + kallsyms -> resolve -> globals -> load the object
//! kallsyms + HOOKS -> choose -> attach each hook -> Coverage
//! ```
//!
//! A hook that cannot be had never stops the others; only when none is left
//! does attaching fail, with every reason and what stands in the way.

mod choose;
mod coverage;
mod error;
mod resolve;

use std::{collections::HashSet, path::Path};

use aya::{
    Ebpf, EbpfLoader,
    maps::ProgramArray,
    programs::{KProbe, ProgramError},
};
use v6trace_common::{CONTINUATIONS, Candidate, HOOKS};

pub use coverage::{Coverage, HookCoverage, Status};
pub use error::AttachError;
pub use resolve::ResolvedMember;

use crate::{
    btf::{Btf, KERNEL_BTF},
    symbols::{KALLSYMS, Symbols},
};
use choose::Refusal;
use resolve::Globals;

/// The eBPF object, where this build carries one.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/v6trace.bpf.o"));

/// What to attach, and where to learn of the kernel.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// BTF to use instead of the running kernel's own.
    pub btf: Option<&'a Path>,
    /// Symbols to use instead of the running kernel's own.
    pub kallsyms: Option<&'a Path>,
    /// Report what succeeds as well.
    pub events: bool,
    /// Let the programs log what they do.
    pub debug: bool,
}

/// Loaded programs, attached for as long as this lives.
pub struct Attached {
    /// The programs and maps.
    pub ebpf: Ebpf,
    /// Which hooks were attached, and how.
    pub coverage: Coverage,
    /// Where this kernel keeps what the programs read.
    pub members: Vec<ResolvedMember>,
}

/// Loads the programs and attaches every hook that this kernel has.
///
/// `prepare` gets the loaded programs before the first hook fires, to open what
/// their events go to.
pub fn attach<T>(
    options: &Options<'_>,
    prepare: impl FnOnce(&mut Ebpf) -> anyhow::Result<T>,
) -> Result<(Attached, T), AttachError> {
    if OBJECT.is_empty() {
        return Err(AttachError::NoObject);
    }
    let btf = Btf::load(options.btf.unwrap_or(Path::new(KERNEL_BTF)))?;
    log::debug!("BTF read");
    let symbols = Symbols::load(
        options.kallsyms.unwrap_or(Path::new(KALLSYMS)),
        &resolve::symbol_names(),
    )?;
    log::debug!("symbols read");
    let globals = resolve::resolve(&btf, &symbols)?;
    drop(btf);

    // Before 5.11 maps count as locked memory, whose usual limit is too low. A
    // failure here shows as one of loading, with the reason.
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Memlock,
        rustix::process::Rlimit {
            current: None,
            maximum: None,
        },
    );
    let mut ebpf = load(options, &globals).map_err(|error| AttachError::load(&error))?;
    log::debug!("maps made");
    let refused = link_continuations(&mut ebpf)?;
    log::debug!("continuations loaded");

    let prepared = prepare(&mut ebpf).map_err(AttachError::Prepare)?;
    let mut loaded = HashSet::new();
    let hooks = choose::choose(HOOKS, &symbols, &globals, |candidate| {
        attach_candidate(&mut ebpf, &mut loaded, candidate)
    });
    let members = globals.members();
    let mut absent = globals.absent;
    absent.extend(refused);
    let coverage = Coverage { hooks, absent };
    if coverage.attached().next().is_none() {
        return Err(AttachError::nothing(&coverage));
    }
    let attached = Attached {
        ebpf,
        coverage,
        members,
    };
    Ok((attached, prepared))
}

fn load(options: &Options<'_>, globals: &Globals) -> Result<Ebpf, aya::EbpfError> {
    let events = u8::from(options.events);
    let debug = u8::from(options.debug);
    let mut loader = EbpfLoader::new();
    for (name, value) in &globals.words {
        loader.override_global(name, value, true);
    }
    for (name, value) in &globals.addresses {
        loader.override_global(name, value, true);
    }
    loader.override_global("EMIT_ALL", &events, true);
    loader.override_global("DEBUG", &debug, true);
    loader.load(OBJECT)
}

/// Fills the table through which programs continue in others. What a refused
/// one would have read is missing from the records; the reasons are returned.
fn link_continuations(ebpf: &mut Ebpf) -> Result<Vec<String>, AttachError> {
    let mut descriptors = Vec::new();
    let mut refused = Vec::new();
    for (index, name) in (0..).zip(CONTINUATIONS) {
        let program = kprobe(ebpf, name)?;
        match program.load() {
            Ok(()) => {
                log_verified(name, program);
                let descriptor = program.fd()?.try_clone().map_err(ProgramError::from)?;
                descriptors.push((index, descriptor));
            }
            Err(error) => refused.push(format!("{name}: {}", AttachError::program(&error))),
        }
    }
    // Borrowed, not taken: the programs loaded later refer to its descriptor.
    let map = ebpf
        .map_mut("CONTINUATIONS")
        .ok_or(AttachError::Object("CONTINUATIONS"))?;
    let mut table = ProgramArray::try_from(map)?;
    for (index, descriptor) in &descriptors {
        table.set(*index, descriptor, 0)?;
    }
    Ok(refused)
}

/// Attaches both ends of a candidate, or neither.
fn attach_candidate(
    ebpf: &mut Ebpf,
    loaded: &mut HashSet<&'static str>,
    candidate: &Candidate,
) -> Result<(), Refusal> {
    // The entry first: then every return that fires had its entry seen.
    let mut undo = None;
    for name in [candidate.entry, candidate.ret].into_iter().flatten() {
        let program = kprobe(ebpf, name).map_err(Refusal::other)?;
        if !loaded.contains(name) {
            program
                .load()
                .map_err(|error| Refusal::other(AttachError::program(&error)))?;
            loaded.insert(name);
            log_verified(name, program);
        }
        match program.attach(candidate.function, 0) {
            Ok(link) => {
                log::debug!("{name} attached to {}", candidate.function);
                undo = Some((name, link));
            }
            Err(error) => {
                if let Some((first, link)) = undo {
                    kprobe(ebpf, first)
                        .and_then(|program| Ok(program.detach(link)?))
                        .map_err(Refusal::other)?;
                }
                return Err(Refusal::from_attach(&error));
            }
        }
    }
    Ok(())
}

/// Says what the verifier had to do: the larger part of starting up.
fn log_verified(name: &str, program: &KProbe) {
    let verified = program
        .info()
        .ok()
        .and_then(|info| info.verified_instruction_count());
    log::debug!(
        "{name} loaded, {} instructions verified",
        verified.unwrap_or_default()
    );
}

fn kprobe<'e>(ebpf: &'e mut Ebpf, name: &'static str) -> Result<&'e mut KProbe, AttachError> {
    let program = ebpf.program_mut(name).ok_or(AttachError::Object(name))?;
    Ok(program.try_into()?)
}
