//! The running kernel's offsets, sizes and addresses, as the programs' globals.

use serde::{Deserialize, Serialize};
use v6trace_common::{
    HookInfo,
    members::{ABSENT, Bits, MEMBERS, Member, Shape, VARIABLES, Variable},
};

use crate::{
    btf::{Btf, MemberError},
    symbols::Symbols,
};

/// Where a kernel keeps a member that the programs read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedMember {
    /// Type and member path, as `net.core.sysctl_optmem_max`; only the type
    /// where its size was wanted.
    pub member: String,
    /// What the programs were told: an offset or a size in bytes, for some
    /// bits a packed [`Bits`]; `None` where this kernel has no such member.
    pub value: Option<u32>,
}

/// Values for the programs' globals, by name.
#[derive(Debug, Default)]
pub(super) struct Globals {
    pub(super) words: Vec<(&'static str, u32)>,
    pub(super) addresses: Vec<(&'static str, u64)>,
    /// What this kernel lacks, with what that means.
    pub(super) absent: Vec<String>,
}

impl Globals {
    /// Whether this kernel has the member of that global.
    pub(super) fn has(&self, global: &str) -> bool {
        self.words
            .iter()
            .any(|&(name, value)| name == global && value != ABSENT)
    }

    /// Whether the variable has what no member of this kernel does.
    fn need(&self, variable: &Variable) -> bool {
        !variable.unless.is_some_and(|global| self.has(global))
    }

    /// The member path of a global.
    pub(super) fn path_of(global: &str) -> &str {
        MEMBERS
            .iter()
            .find(|member| member.global == global)
            .map_or(global, |member| member.path)
    }

    /// Every member, with what was found.
    pub(super) fn members(&self) -> Vec<ResolvedMember> {
        let resolved = |&(global, value): &(&str, u32)| ResolvedMember {
            member: Self::path_of(global).to_owned(),
            value: (value != ABSENT).then_some(value),
        };
        self.words.iter().map(resolved).collect()
    }

    #[cfg(test)]
    pub(super) fn made_up(words: &[(&'static str, u32)]) -> Self {
        Self {
            words: words.to_vec(),
            ..Self::default()
        }
    }
}

/// Every symbol that locating and choosing ask for, but for those of variables
/// that this kernel's members make unnecessary: a group for each hook and
/// variable.
pub(super) fn symbols(hooks: &[HookInfo], globals: &Globals) -> Vec<Vec<&'static str>> {
    let functions = hooks.iter().map(|hook| {
        let functions = hook.candidates.iter().map(|candidate| candidate.function);
        functions.collect()
    });
    let variables = VARIABLES.iter().filter(|variable| globals.need(variable));
    let variables = variables.map(|variable| {
        let symbols = variable.symbols.iter().map(|&(symbol, _)| symbol);
        symbols.collect()
    });
    functions.chain(variables).collect()
}

/// Looks every member up. One that the kernel lacks is absent; BTF that
/// contradicts itself is an error.
pub(super) fn members(btf: &Btf) -> Result<Globals, MemberError> {
    let mut globals = Globals::default();
    for member in MEMBERS {
        let value = match locate(btf, member) {
            Ok(Ok(value)) => value,
            Ok(Err(reason)) => {
                globals
                    .absent
                    .push(format!("{}: {reason}; {}", member.path, member.without));
                ABSENT
            }
            Err(error) if error.is_absent() => {
                globals
                    .absent
                    .push(format!("{}: {error}; {}", member.path, member.without));
                ABSENT
            }
            Err(error) => return Err(error),
        };
        globals.words.push((member.global, value));
    }
    Ok(globals)
}

/// Adds every variable's address, 0 for one that cannot be had.
pub(super) fn variables(
    globals: &mut Globals,
    btf: &Btf,
    symbols: &Symbols,
) -> Result<(), MemberError> {
    for variable in VARIABLES {
        let address = address(btf, symbols, variable)?;
        if address == 0 && globals.need(variable) {
            let why = if symbols.hidden() {
                "the kernel hides its address (CAP_SYSLOG or kernel.kptr_restrict)"
            } else {
                "not among this kernel's symbols"
            };
            let name = variable.symbols[0].0;
            globals
                .absent
                .push(format!("{name}: {why}; {}", variable.without));
        }
        globals.addresses.push((variable.global, address));
    }
    Ok(())
}

/// The value of a member's global, or why its shape is not the expected one.
fn locate(btf: &Btf, member: &Member) -> Result<Result<u32, String>, MemberError> {
    if member.shape == Shape::Size {
        return Ok(Ok(btf.size_of(member.path)?));
    }
    let found = btf.member(member.path)?;
    Ok(match (member.shape, found.bit) {
        (Shape::Bits, Some(bits)) => {
            // As a bit of a word, whatever unit the kernel declares it in.
            let shift = (found.byte_offset % 4) * 8 + u32::from(bits.shift);
            pack(found.byte_offset & !3, shift, bits.width)
                .ok_or_else(|| "does not lie within 32 bits".to_owned())
        }
        (Shape::Bits, None) => Err("is no bitfield in this kernel".to_owned()),
        (_, Some(_)) => Err("is a bitfield in this kernel".to_owned()),
        (Shape::Bytes(size), None) if size != found.byte_size => Err(format!(
            "has {} bytes in this kernel, not {size}",
            found.byte_size
        )),
        _ => Ok(found.byte_offset),
    })
}

fn pack(offset: u32, shift: u32, width: u8) -> Option<u32> {
    if shift + u32::from(width) > u32::BITS {
        return None;
    }
    let bits = Bits {
        offset: offset.try_into().ok()?,
        shift: shift.try_into().ok()?,
        width,
    };
    Some(bits.pack())
}

/// The address of a variable; 0 where this kernel has or shows none.
fn address(btf: &Btf, symbols: &Symbols, variable: &Variable) -> Result<u64, MemberError> {
    for &(symbol, within) in variable.symbols {
        let Some(address) = symbols.address(symbol) else {
            continue;
        };
        let offset = match within.map(|path| btf.member(path)).transpose() {
            Ok(member) => member.map_or(0, |member| u64::from(member.byte_offset)),
            Err(error) if error.is_absent() => continue,
            Err(error) => return Err(error),
        };
        return Ok(address + offset);
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_beyond_a_word_are_refused() {
        assert!(pack(500, 30, 3).is_none());
        assert!(pack(1 << 16, 0, 1).is_none());
        assert_eq!(
            pack(500, 29, 3).map(Bits::unpack),
            Some(Bits {
                offset: 500,
                shift: 29,
                width: 3
            })
        );
    }
}
