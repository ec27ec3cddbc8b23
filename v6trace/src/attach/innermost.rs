//! The many functions of which one may be the first that fails, all watched by one
//! program: it finds out which it is by where its probe is.

use aya::{Ebpf, maps::HashMap};
use v6trace_common::families::process::{FUNCTION_LEN, FUNCTIONS, INNERMOST};

use super::{AttachError, one_line::in_one_line, programs::Attacher};
use crate::{
    families::process::functions,
    symbols::{SymbolStatus, Symbols},
};

/// Where a kernel that tests indirect branches has its probes: behind the instruction
/// that is tested for.
const BEHIND_ENDBR: u64 = 4;

impl Attacher<'_> {
    /// Watches those that this kernel has, by their own name and once; each kernel lacks
    /// some.
    pub(super) fn watch_functions(&mut self, symbols: &Symbols) {
        let present: Vec<_> = functions()
            .filter_map(|name| match symbols.status(name) {
                SymbolStatus::Present { address } if address != 0 => Some((name, address)),
                _ => None,
            })
            .collect();
        let named = name_functions(self.ebpf, &present);
        let named = named.and_then(|()| self.load("", INNERMOST));
        if let Err(error) = named {
            let reason = in_one_line(&error.to_string());
            self.refused.push(format!(
                "{INNERMOST}: {reason}; which kernel function failed first is not known"
            ));
            return;
        }
        let mut not_watched = Vec::new();
        for (name, _) in present {
            match self.attach_one(name, Some(INNERMOST)) {
                Ok(link) => self.links.inner.extend(link),
                Err(refusal) => {
                    log::debug!("{name} is not watched: {refusal:?}");
                    not_watched.push(name);
                }
            }
        }
        if !not_watched.is_empty() {
            self.refused.push(format!(
                "{INNERMOST}: {} cannot be watched; where one fails first, what called it is \
                 taken for it",
                not_watched.join(", ")
            ));
        }
    }
}

/// Tells the kernel side what the functions are called.
fn name_functions(ebpf: &mut Ebpf, present: &[(&str, u64)]) -> Result<(), AttachError> {
    let map = ebpf
        .map_mut(FUNCTIONS)
        .ok_or(AttachError::Object(FUNCTIONS))?;
    let mut names: HashMap<_, u64, [u8; FUNCTION_LEN]> = HashMap::try_from(map)?;
    for &(name, address) in present {
        let mut bytes = [0; FUNCTION_LEN];
        for (byte, of_name) in bytes[..FUNCTION_LEN - 1].iter_mut().zip(name.bytes()) {
            *byte = of_name;
        }
        names.insert(address, bytes, 0)?;
        names.insert(address + BEHIND_ENDBR, bytes, 0)?;
    }
    Ok(())
}
