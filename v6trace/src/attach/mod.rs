//! From the embedded eBPF object to hooks that fire.
//!
//! ```text
//! BTF + kallsyms -> resolve -> globals -> load the object
//! kallsyms + HOOKS -> choose -> attach each hook -> Coverage
//!                               by trampoline where that is possible, else
//!                               by kprobes
//! ```
//!
//! A hook that cannot be had never stops the others; only when none is left
//! does attaching fail, with every reason and what stands in the way.

mod choose;
mod error;
mod innermost;
mod iterators;
mod links;
mod loader;
mod one_line;
mod programs;
mod resolve;
mod trampolines;

use std::path::Path;

use aya::Ebpf;
use v6trace_common::{Family, HOOKS, Hook, HookInfo, families::process::CALL};

pub use error::AttachError;
pub use iterators::{Listed, Loaded, Memberships, memberships};
pub use links::Links;

use crate::{
    btf::{Btf, KERNEL_BTF},
    coverage::{Coverage, ResolvedMember},
    families::process::functions,
    observe::why_without_ipv6,
    symbols::{KALLSYMS, Symbols},
};
use programs::Attacher;

/// The eBPF object, packed, where this build carries one.
static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/v6trace.bpf.o.lz4"));

/// What to attach, and where to learn of the kernel.
#[derive(Clone, Debug)]
pub struct Options<'a> {
    /// BTF to use instead of the running kernel's own.
    pub btf: Option<&'a Path>,
    /// Symbols to use instead of the running kernel's own.
    pub kallsyms: Option<&'a Path>,
    /// The hooks to attach.
    pub hooks: Vec<&'static HookInfo>,
    /// The families that were left out on request, by name.
    pub left_out: Vec<&'static str>,
    /// Report what succeeds as well.
    pub events: bool,
    /// Let the programs log what they do.
    pub debug: bool,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self::of(&Family::by_default().collect::<Vec<_>>())
    }
}

impl<'a> Options<'a> {
    /// The hooks of these families, and those of others without which one of
    /// these knows less.
    pub fn of(families: &[&'static Family]) -> Self {
        let wanted: Vec<Hook> = families.iter().flat_map(|family| family.wants()).collect();
        let hooks = HOOKS.iter().copied();
        let is_left_out =
            |family: &&'static Family| families.iter().all(|wanted| wanted.name != family.name);
        // What is to be asked for is no loss where nobody did.
        let left_out = Family::by_default().filter(is_left_out);
        Self {
            hooks: hooks.filter(|info| wanted.contains(&info.hook)).collect(),
            left_out: left_out.map(|family| family.name).collect(),
            btf: None,
            kallsyms: None,
            events: false,
            debug: false,
        }
    }

    /// Whether processes are followed.
    fn follows(&self) -> bool {
        self.hooks.iter().any(|info| info.hook == CALL)
    }

    /// Where the kernel's types are read.
    pub fn btf(&self) -> &'a Path {
        self.btf.unwrap_or(Path::new(KERNEL_BTF))
    }
}

/// Loaded programs, attached for as long as this lives.
pub struct Attached {
    /// The programs and maps.
    pub ebpf: Ebpf,
    /// What holds the programs at their functions.
    pub links: Links,
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
    prepare: impl FnOnce(&mut Loaded<'_>) -> anyhow::Result<T>,
) -> Result<(Attached, T), AttachError> {
    let btf = object_and_types(options.btf())?;
    let mut globals = resolve::members(&btf)?;
    let mut wanted = resolve::symbols(&options.hooks, &globals);
    if options.follows() {
        wanted.push(functions().collect());
    }
    let symbols = Symbols::load(options.kallsyms.unwrap_or(Path::new(KALLSYMS)), &wanted)?;
    log::debug!("symbols read");
    resolve::variables(&mut globals, &btf, &symbols)?;
    // Numbers of functions out of a file may not be the running kernel's.
    let is_running = options.btf.is_none();
    let functions = is_running.then(|| trampolines::functions(&options.hooks, &btf));
    // Before anything else is made: it is most of the memory that a start takes.
    drop(btf);
    let functions = functions.as_ref().map(trampolines::made_up);
    let functions = functions.as_ref();

    let mut ebpf = loader::load(options, &globals)?;
    log::debug!("maps made");

    let prepared = prepare(&mut Loaded::new(&mut ebpf, functions)).map_err(AttachError::Prepare)?;
    let functions = functions.filter(|_| trampolines::are_safe());
    let mut programs = Attacher::new(&mut ebpf, functions);
    let hooks = choose::choose(&options.hooks, &symbols, &globals, |candidate| {
        programs.attach(candidate)
    });
    // What failed in a call is forgotten where that returns: where none is seen to, it would
    // be taken for a later one's.
    let calls = CALL.info().name;
    if hooks
        .iter()
        .any(|hook| hook.hook == calls && hook.is_attached())
    {
        programs.watch_functions(&symbols);
        log::debug!("functions watched");
    }
    let Attacher { links, refused, .. } = programs;
    let members = globals.members();
    let mut absent = globals.absent;
    absent.extend(refused);
    let coverage = Coverage {
        hooks,
        absent,
        left_out: options.left_out.iter().map(ToString::to_string).collect(),
        without_ipv6: why_without_ipv6(),
    };
    if coverage.attached().next().is_none() {
        return Err(AttachError::Nothing { coverage });
    }
    let attached = Attached {
        ebpf,
        links,
        coverage,
        members,
    };
    Ok((attached, prepared))
}

/// The kernel's types, where there is something to load.
fn object_and_types(btf: &Path) -> Result<Btf, AttachError> {
    if OBJECT.is_empty() {
        return Err(AttachError::NoObject);
    }
    let btf = Btf::load(btf)?;
    log::debug!("BTF read");
    Ok(btf)
}
