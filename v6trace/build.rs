//! Puts the eBPF object where the library embeds it from.
//!
//! `cargo xtask build` names it in `V6TRACE_EBPF_OBJECT`. Without that the
//! library is built without a kernel side, for what needs none: everything but
//! attaching.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=V6TRACE_EBPF_OBJECT");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let object = match env::var_os("V6TRACE_EBPF_OBJECT") {
        Some(path) => {
            println!("cargo::rerun-if-changed={}", PathBuf::from(&path).display());
            fs::read(&path).expect("V6TRACE_EBPF_OBJECT names a readable file")
        }
        None => Vec::new(),
    };
    fs::write(out.join("v6trace.bpf.o"), object).expect("OUT_DIR can be written");
}
