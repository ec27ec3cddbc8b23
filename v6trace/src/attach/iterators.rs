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

/// How long is read at most, and how much.
const LIMIT: Duration = Duration::from_secs(2);
const MOST: usize = 16 << 20;

/// Memberships that are still to be read. It needs the loaded object no more.
pub struct Memberships(File);

/// A loaded object, and what its iterators iterate over.
pub struct Loaded<'e> {
    /// The programs and maps.
    pub ebpf: &'e mut Ebpf,
    /// The kernel's iterators; `None` where its types came out of a file.
    iterators: Option<aya::Btf>,
}

impl<'e> Loaded<'e> {
    pub(super) fn new(ebpf: &'e mut Ebpf, iterators: Option<aya::Btf>) -> Self {
        Self { ebpf, iterators }
    }

    /// The memberships of all sockets that processes have open.
    ///
    /// # Errors
    /// The kernel has no such iterator, or refuses the program.
    pub fn memberships(&mut self) -> Result<Memberships, AttachError> {
        let iterators = self.iterators.as_ref().ok_or(AttachError::NoIterator)?;
        let program = self.ebpf.program_mut(ITERATOR);
        let program = program.ok_or(AttachError::Object(ITERATOR))?;
        let program: &mut Iter = program.try_into()?;
        let loaded = program.load(ITERATED, iterators);
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
    let iterators = of(&btf);
    drop(btf);
    let options = Options::default();
    let mut ebpf = loader::load(&options, &globals).map_err(|error| AttachError::load(&error))?;
    Loaded::new(&mut ebpf, Some(iterators)).memberships()
}

/// The iterators among the kernel's functions.
pub(super) fn of(btf: &Btf) -> aya::Btf {
    let name = format!("bpf_iter_{ITERATED}");
    let number = btf.function(&name);
    let found = number.map(|number| (number, name.as_str()));
    trampolines::made_up(&found.into_iter().collect())
}

impl Memberships {
    /// Reads all of them, as the kernel side writes them.
    ///
    /// Where there is nothing to tell of a million files, the kernel gives the reader a
    /// moment and has it ask again.
    ///
    /// # Errors
    /// The kernel breaks off, or it takes too long.
    pub fn read(mut self) -> Result<Vec<u8>, AttachError> {
        let began = Instant::now();
        let mut all = Vec::new();
        let mut some = vec![0; 1 << 16];
        loop {
            if began.elapsed() > LIMIT || all.len() > MOST {
                return Err(AttachError::Iterator(io::ErrorKind::TimedOut.into()));
            }
            match self.0.read(&mut some) {
                Ok(0) => return Ok(all),
                Ok(length) => all.extend_from_slice(some.get(..length).unwrap_or_default()),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {}
                    _ => return Err(AttachError::Iterator(error)),
                },
            }
        }
    }
}
