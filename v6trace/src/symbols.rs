//! Reads the kernel's symbol table for the few functions and variables that
//! v6trace is interested in.
//!
//! A kprobe is placed by name, so before attaching it must be known whether the
//! kernel has that function, has it once, or kept it only under a name that the
//! compiler suffixed. `/proc/kallsyms` has some 200 000 lines, and producing
//! them is slow for the kernel: [`Symbols::load`] reads it once for all names,
//! a line at a time in one buffer, keeps nothing about other symbols, and stops
//! where nothing more is to be found.

mod table;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufReader},
    path::{Path, PathBuf},
};
use table::{Occurrences, Stopped, Table, Wanted, for_each_line};
use thiserror::Error;

/// Where the running kernel shows its symbols.
pub const KALLSYMS: &str = "/proc/kallsyms";

/// Why the symbol table could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SymbolsError {
    /// The file could not be opened or read.
    #[error(
        "cannot read the kernel's symbols from {}: {source}; /proc must be mounted and the kernel \
         built with CONFIG_KALLSYMS, or give a copy with --kallsyms FILE",
        path.display()
    )]
    Read {
        /// The file that was to be read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line that is not `ADDRESS TYPE NAME`.
    #[error(
        "{}, line {line}: not a line of a symbol table; expected the format of /proc/kallsyms or \
         System.map",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
    },
    /// Not a single symbol.
    #[error("{} is empty; expected the format of /proc/kallsyms or System.map", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

/// What the kernel has under the name of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SymbolStatus {
    /// Exactly one function: a kprobe can be placed by this name.
    Present {
        /// Its address; 0 where the kernel hides addresses.
        address: u64,
    },
    /// None, nor any suffixed form. It may be inlined, or in a module not loaded.
    Missing,
    /// Several functions; newer kernels refuse such a name and older ones pick
    /// one of them.
    Ambiguous {
        /// How many.
        count: u32,
    },
    /// Only forms that the compiler made of it, whose arguments may differ.
    OnlySuffixed {
        /// Their names: `foo.isra.0`, `foo.constprop.0`, `foo.part.0`, `foo.cold`, …
        names: Vec<String>,
    },
}

/// What the symbol table says about the names asked for.
#[derive(Debug)]
pub struct Symbols {
    /// Sorted by name.
    wanted: Vec<Wanted>,
    hidden: bool,
}

impl Symbols {
    /// Looks names up in a symbol table, [`KALLSYMS`] as a rule: groups of them,
    /// of which a kernel has one at least, and has them in the same place.
    ///
    /// Once one of each group was seen and the kernel's own code is through, the
    /// rest of the table is not read: modules, to which the kernel prefers
    /// itself, and most of its variables. Where one of them is in a module, it
    /// is read to its end.
    ///
    /// # Errors
    /// [`SymbolsError`] where the file cannot be read or is no symbol table.
    pub fn load(path: &Path, groups: &[Vec<&str>]) -> Result<Self, SymbolsError> {
        let read_error = |source| SymbolsError::Read {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(read_error)?;
        let mut table = Table::new(groups);
        let lines = for_each_line(BufReader::with_capacity(1 << 18, file), |line| {
            table.take(line)
        })
        .map_err(|stopped| match stopped {
            Stopped::Read(source) => read_error(source),
            Stopped::Format { line } => SymbolsError::Format {
                path: path.to_owned(),
                line,
            },
        })?;
        if lines == 0 {
            return Err(SymbolsError::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            wanted: table.wanted,
            hidden: !table.address_seen,
        })
    }

    /// What the kernel has under the name of a function; of the names given
    /// to [`Symbols::load`] only, anything else is [`SymbolStatus::Missing`].
    pub fn status(&self, name: &str) -> SymbolStatus {
        match self.find(name) {
            Some(Wanted {
                functions: Occurrences { count: 1, address },
                ..
            }) => SymbolStatus::Present { address: *address },
            Some(Wanted {
                functions: Occurrences { count, .. },
                ..
            }) if *count > 1 => SymbolStatus::Ambiguous { count: *count },
            Some(Wanted { suffixed, .. }) if !suffixed.is_empty() => SymbolStatus::OnlySuffixed {
                names: suffixed.clone(),
            },
            _ => SymbolStatus::Missing,
        }
    }

    /// Address of a variable, or of a function that pointers are compared with; none
    /// where the kernel has none of that name or several, or hides its address. Of a per-CPU variable it is the offset
    /// that each CPU's base is added to.
    pub fn address(&self, name: &str) -> Option<u64> {
        let Wanted {
            variables,
            functions,
            ..
        } = self.find(name)?;
        let found = if variables.count > 0 {
            variables
        } else {
            functions
        };
        (found.count == 1 && found.address != 0).then_some(found.address)
    }

    /// Whether the kernel shows every address as 0: the reader lacks
    /// `CAP_SYSLOG`, or `kernel.kptr_restrict` is 2.
    pub fn hidden(&self) -> bool {
        self.hidden
    }

    fn find(&self, name: &str) -> Option<&Wanted> {
        let at = self
            .wanted
            .binary_search_by(|wanted| wanted.name.as_str().cmp(name))
            .ok()?;
        self.wanted.get(at)
    }
}
