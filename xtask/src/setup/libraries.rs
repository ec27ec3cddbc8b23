//! Finds the shared libraries that programs load: the closure over the
//! `DT_NEEDED` entries of ELF files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::Endianness;
use object::elf::{DT_NEEDED, DT_STRSZ, DT_STRTAB, FileHeader64};
use object::read::StringTable;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

/// Where Debian keeps an architecture's libraries, and systemd and FRR those of their own.
fn directories(triplet: &str) -> [String; 6] {
    [
        format!("lib/{triplet}"),
        format!("usr/lib/{triplet}"),
        "lib".to_owned(),
        "usr/lib".to_owned(),
        format!("usr/lib/{triplet}/systemd"),
        format!("usr/lib/{triplet}/frr"),
    ]
}

/// All libraries that the programs need, directly or not: soname to file,
/// looked up below the given roots, of the architecture that Debian calls `triplet`.
///
/// Fails when one is in none of them, naming who needs it.
pub(crate) fn closure(
    programs: &[PathBuf],
    triplet: &str,
    roots: &[&Path],
) -> Result<BTreeMap<String, PathBuf>> {
    let below = directories(triplet);
    let places = roots
        .iter()
        .flat_map(|root| below.iter().map(|directory| root.join(directory)));
    let places: Vec<PathBuf> = places.collect();
    let mut found = BTreeMap::new();
    let mut open = programs.to_vec();
    while let Some(file) = open.pop() {
        let data = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        for name in needed(&data) {
            if found.contains_key(&name) {
                continue;
            }
            let library = find(&name, &places).with_context(|| {
                format!("{} needs {name}, which no package brought", file.display())
            })?;
            open.push(library.clone());
            found.insert(name, library);
        }
    }
    Ok(found)
}

fn find(name: &str, places: &[PathBuf]) -> Option<PathBuf> {
    places
        .iter()
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// The sonames an ELF file asks for; none for scripts and static programs.
fn needed(data: &[u8]) -> Vec<String> {
    read_needed(data).unwrap_or_default()
}

fn read_needed(data: &[u8]) -> Option<Vec<String>> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let dynamic = segments
        .iter()
        .find_map(|segment| segment.dynamic(endian, data).ok().flatten())?;
    let value = |tag: i64| {
        let entry = dynamic.iter().find(|entry| entry.tag(endian) == tag)?;
        Some(entry.d_val(endian))
    };
    // The string table is given by its address; the segment that holds the
    // address says where in the file that is.
    let (address, size) = (value(DT_STRTAB)?, value(DT_STRSZ)?);
    let strings = segments.iter().find_map(|segment| {
        segment
            .data_range(endian, data, address, size)
            .ok()
            .flatten()
    })?;
    let strings = StringTable::new(strings, 0, strings.len() as u64);
    let names = dynamic
        .iter()
        .filter(|entry| entry.tag(endian) == DT_NEEDED)
        .filter_map(|entry| entry.string(endian, strings).ok())
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_needs_nothing() {
        assert!(needed(b"#!/bin/sh\n").is_empty());
        assert!(needed(b"\x7fELF").is_empty());
        assert!(needed(b"").is_empty());
    }

    #[test]
    fn this_test_program_needs_libc() {
        let program = fs::read("/proc/self/exe").unwrap();
        assert!(needed(&program).iter().any(|name| name == "libc.so.6"));
    }

    #[test]
    fn a_library_that_is_nowhere_is_named() {
        let error = closure(&["/proc/self/exe".into()], "", &[Path::new("/nonexistent")]);
        let error = error.unwrap_err();
        assert!(error.to_string().contains(".so"));
    }
}
