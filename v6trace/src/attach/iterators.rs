//! Programs that the kernel runs for each thing of a kind there is, and whose
//! output is read like a file.
//!
//! ```text
//! loaded object -> load, attach -> Memberships: a file, of what the program writes of
//!                                  each while it is read
//! ```

use std::{
    fs::File,
    io::{self, Read as _},
    time::{Duration, Instant},
};

use aya::{Ebpf, programs::Iter};
use v6trace_common::families::multicast_join::{ITERATED, ITERATOR};

use super::{AttachError, Options, loader, resolve, trampolines};
use crate::btf::{Btf, KERNEL_BTF};

/// How much is read at most.
const MOST: usize = 16 << 20;

/// Memberships that are still to be read. It needs the loaded object no more.
pub struct Memberships(File);

/// Memberships as they were read.
#[derive(Debug)]
pub struct Listed {
    /// As the kernel side writes them; what is cut ends with a part of one.
    pub memberships: Vec<u8>,
    /// Whether there may be more: it took too long, or is too much.
    pub cut: bool,
}

/// A loaded object, and what its iterators iterate over.
pub struct Loaded<'e> {
    /// The programs and maps.
    pub ebpf: &'e mut Ebpf,
    /// The kernel's functions; `None` where its types came out of a file.
    functions: Option<&'e aya::Btf>,
}

impl<'e> Loaded<'e> {
    pub(super) fn new(ebpf: &'e mut Ebpf, functions: Option<&'e aya::Btf>) -> Self {
        Self { ebpf, functions }
    }

    /// The memberships of all sockets that processes have open.
    ///
    /// # Errors
    /// The kernel has no such iterator, or refuses the program.
    pub fn memberships(&mut self) -> Result<Memberships, AttachError> {
        let functions = self.functions.ok_or(AttachError::NoIterator)?;
        let program = self.ebpf.program_mut(ITERATOR);
        let program = program.ok_or(AttachError::Object(ITERATOR))?;
        let program: &mut Iter = program.try_into()?;
        let loaded = program.load(ITERATED, functions);
        loaded.map_err(|error| AttachError::program(&error))?;
        let link = program.attach()?;
        let link = program.take_link(link)?;
        let file = link.into_file().map_err(io::Error::other);
        file.map(Memberships).map_err(AttachError::Iterator)
    }
}

/// The same of an object that is loaded for nothing else.
///
/// # Errors
/// It cannot be loaded, and those of [`Loaded::memberships`].
pub fn memberships() -> Result<Memberships, AttachError> {
    let btf = super::object_and_types(KERNEL_BTF.as_ref())?;
    let globals = resolve::members(&btf)?;
    let iterators = function(&btf).into_iter().collect();
    drop(btf);
    let iterators = trampolines::made_up(&iterators);
    let options = Options::default();
    let mut ebpf = loader::load(&options, &globals)?;
    Loaded::new(&mut ebpf, Some(&iterators)).memberships()
}

/// The kernel's function that stands for the iterator, with its number.
pub(super) fn function(btf: &Btf) -> Option<(u32, String)> {
    let name = format!("bpf_iter_{ITERATED}");
    Some((btf.function(&name)?, name))
}

impl Memberships {
    /// Reads them, for as long as `limit`.
    ///
    /// Where there is nothing to tell of a million files, the kernel gives the reader a
    /// moment and has it ask again.
    ///
    /// # Errors
    /// The kernel breaks off.
    pub fn read(mut self, limit: Duration) -> Result<Listed, AttachError> {
        let began = Instant::now();
        let mut memberships = Vec::new();
        let mut some = vec![0; 1 << 16];
        loop {
            if began.elapsed() > limit || memberships.len() > MOST {
                let cut = true;
                return Ok(Listed { memberships, cut });
            }
            match self.0.read(&mut some) {
                Ok(0) => {
                    let cut = false;
                    return Ok(Listed { memberships, cut });
                }
                Ok(length) => memberships.extend_from_slice(some.get(..length).unwrap_or_default()),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    _ => return Err(AttachError::Iterator(error)),
                },
            }
        }
    }
}
