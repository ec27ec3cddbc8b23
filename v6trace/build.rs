//! Puts the eBPF object where the library embeds it from, once it has all that
//! the tables name.
//!
//! `cargo xtask build` names it in `V6TRACE_EBPF_OBJECT`. Without that the
//! library is built without a kernel side, for what needs none: everything but
//! attaching.
//!
//! It is packed, to a third of its size, and unpacked once, at the start.

use std::{collections::BTreeSet, env, fs, path::PathBuf, process::ExitCode};

use lz4_flex::block::compress_prepend_size;
use object::{Object as _, ObjectSymbol as _};
use v6trace_common::{HOOKS, families};

fn main() -> ExitCode {
    println!("cargo::rerun-if-env-changed=V6TRACE_EBPF_OBJECT");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let object = match env::var_os("V6TRACE_EBPF_OBJECT") {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", PathBuf::from(&path).display());
            fs::read(&path).expect("V6TRACE_EBPF_OBJECT names a readable file")
        }
        None => Vec::new(),
    };
    if !object.is_empty() {
        let missing = missing(&object);
        for name in &missing {
            println!("cargo::error=the eBPF programs have no {name}");
        }
        if !missing.is_empty() {
            return ExitCode::FAILURE;
        }
    }
    let packed = match object.as_slice() {
        [] => Vec::new(),
        object => compress_prepend_size(object),
    };
    fs::write(out.join("v6trace.bpf.o.lz4"), packed).expect("OUT_DIR can be written");
    ExitCode::SUCCESS
}

/// What the tables name, and the object lacks: at run time a hook would be
/// refused for it, or a member not be known to the programs.
fn missing(object: &[u8]) -> Vec<String> {
    let file = object::File::parse(object).expect("V6TRACE_EBPF_OBJECT is an object file");
    let symbols: BTreeSet<&str> = file
        .symbols()
        .filter(|symbol| !symbol.is_undefined())
        .filter_map(|symbol| symbol.name().ok())
        .collect();
    let mut named = Vec::new();
    for hook in HOOKS {
        for candidate in hook.candidates {
            for programs in [Some(candidate.kprobes), candidate.trampoline]
                .into_iter()
                .flatten()
            {
                let by = format!("which hook {} names", hook.name);
                named.extend(programs.all().map(|name| ("program", name, by.clone())));
                let map = programs.continuation.map(|(_, map)| map);
                named.extend(map.map(|name| ("map", name, by.clone())));
            }
        }
    }
    let by = "which reads memberships".to_owned();
    named.push(("program", families::multicast_join::ITERATOR, by));
    let by = "which functions that fail are watched by".to_owned();
    named.push(("program", families::process::INNERMOST, by.clone()));
    named.push(("map", families::process::FUNCTIONS, by));
    for member in families::members() {
        let by = format!("which stands for {}", member.path);
        named.push(("global", member.global, by));
    }
    for variable in families::variables() {
        named.push((
            "global",
            variable.global,
            "which is a kernel variable".to_owned(),
        ));
    }
    named.retain(|(_, name, _)| !symbols.contains(name));
    let lines = named.iter();
    let lines = lines.map(|(what, name, by)| format!("{what} {name}, {by}"));
    lines.collect()
}
