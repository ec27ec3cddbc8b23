//! Any bytes in place of a kernel's BTF: refused or searched, without a panic
//! or endless chains.

#![no_main]

use libfuzzer_sys::fuzz_target;
use v6trace::btf::Btf;

/// Paths of several depths and kinds; the second is in the seed.
const PATHS: [&str; 4] = [
    "sock.__sk_common.skc_net.net",
    "outer.inner.last",
    "net.core.sysctl_optmem_max",
    "a.b",
];

fuzz_target!(|bytes: &[u8]| {
    if let Ok(btf) = Btf::parse(bytes.to_vec()) {
        for path in PATHS {
            let _ = btf.member(path);
        }
    }
});
