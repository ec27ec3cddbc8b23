//! The running kernel's offsets, sizes and addresses, as the programs' globals.

use v6trace_common::{
    HookInfo, families,
    member::{ABSENT, Bits, Member, Shape, Variable},
};

use crate::{
    btf::{Btf, MemberError},
    coverage::ResolvedMember,
    symbols::Symbols,
};

/// Values for the programs' globals, by name.
#[derive(Debug, Default)]
pub(super) struct Globals {
    pub(super) words: Vec<(&'static Member, u32)>,
    pub(super) addresses: Vec<(&'static str, u64)>,
    /// What this kernel lacks, with what that means.
    pub(super) absent: Vec<String>,
}

impl Globals {
    /// Whether this kernel has the member.
    pub(super) fn has(&self, member: &Member) -> bool {
        let mut words = self.words.iter();
        words.any(|&(found, value)| found.global == member.global && value != ABSENT)
    }

    /// Whether the variable has what no member of this kernel does.
    fn need(&self, variable: &Variable) -> bool {
        !variable.unless.is_some_and(|member| self.has(member))
    }

    /// Every member, with what was found.
    pub(super) fn members(&self) -> Vec<ResolvedMember> {
        let resolved = |&(member, value): &(&Member, u32)| ResolvedMember {
            member: member.path.to_owned(),
            value: (value != ABSENT).then_some(value),
        };
        self.words.iter().map(resolved).collect()
    }

    #[cfg(test)]
    pub(super) fn made_up(words: &[(&'static Member, u32)]) -> Self {
        Self {
            words: words.to_vec(),
            ..Self::default()
        }
    }
}

/// Every symbol that locating and choosing ask for, but for those of variables
/// that this kernel's members make unnecessary: a group for each hook and
/// variable.
pub(super) fn symbols(hooks: &[&HookInfo], globals: &Globals) -> Vec<Vec<&'static str>> {
    let functions = hooks.iter().map(|hook| {
        let functions = hook.candidates.iter().map(|candidate| candidate.function);
        functions.collect()
    });
    let variables = families::variables().filter(|variable| globals.need(variable));
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
    for member in families::members() {
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
        globals.words.push((member, value));
    }
    Ok(globals)
}

/// Adds every variable's address, 0 for one that cannot be had.
pub(super) fn variables(
    globals: &mut Globals,
    btf: &Btf,
    symbols: &Symbols,
) -> Result<(), MemberError> {
    for variable in families::variables() {
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

/// The value of a member's global, or why its shape is not the expected one, by the
/// first of its paths that the kernel has.
fn locate(btf: &Btf, member: &Member) -> Result<Result<u32, String>, MemberError> {
    let mut last = Err(MemberError::NoSuchType {
        name: member.path.to_owned(),
    });
    for path in member.paths() {
        last = locate_at(btf, member.shape, path);
        if !last.as_ref().is_err_and(MemberError::is_absent) {
            break;
        }
    }
    last
}

fn locate_at(btf: &Btf, shape: Shape, path: &str) -> Result<Result<u32, String>, MemberError> {
    if shape == Shape::Size {
        return Ok(Ok(btf.size_of(path)?));
    }
    if shape == Shape::Value {
        return enumerator(btf, path);
    }
    let found = btf.member(path)?;
    Ok(match (shape, found.bit) {
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

/// The value of an enumerator.
fn enumerator(btf: &Btf, path: &str) -> Result<Result<u32, String>, MemberError> {
    let (type_name, member) = path.split_once('.').unwrap_or((path, ""));
    let value = btf.enum_value(type_name, member);
    let value = value.ok_or_else(|| MemberError::NoSuchMember {
        type_name: type_name.to_owned(),
        member: member.to_owned(),
    })?;
    Ok(u32::try_from(value).map_err(|_| format!("is {value} in this kernel")))
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
