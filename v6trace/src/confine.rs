//! What a process that reads recordings gives up first: they come from others, and one
//! that found a fault in the reader should have little to gain.
//!
//! On all kernels it keeps no capability but the one to read any file. On those that have
//! Landlock, from 5.13 on, it opens nothing but the recordings, and runs, makes and
//! removes nothing; newer ones refuse more (TCP from 6.7 on, signals to others from 6.12
//! on). Without Landlock it may still do what its user may without capabilities. What is
//! open already stays so: the output. All of it holds for the thread that asks for it, and
//! for those that it starts.

use std::path::{Path, PathBuf};

use caps::Capability::CAP_DAC_READ_SEARCH;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

use crate::rights;

/// The newest Landlock whose rights are given up; an older kernel leaves out those that it
/// does not know.
const NEWEST: ABI = ABI::V6;

/// What is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confined {
    /// The version of Landlock; `None` where the kernel has none.
    pub(crate) landlock: Option<u32>,
    /// Whether capabilities were given up.
    pub(crate) capabilities: bool,
}

/// From now on this thread has no capability but to read any file; and, with Landlock,
/// opens nothing but these files, and what is beneath these directories, and only to read.
///
/// What the kernel lacks is done without.
pub(crate) fn to_reading(paths: &[PathBuf]) -> Confined {
    let given_up = rights::keep_only([CAP_DAC_READ_SEARCH]);
    if let Err(error) = &given_up {
        log::debug!("capabilities cannot be given up: {error}");
    }
    let landlock = restrict(paths).unwrap_or_else(|error| {
        log::debug!("Landlock does not confine reading: {error}");
        None
    });
    Confined {
        landlock,
        capabilities: given_up.is_ok(),
    }
}

fn restrict(paths: &[PathBuf]) -> Result<Option<u32>, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for path in paths {
        // What is not there cannot be opened in any case; a pipe has no place, and may be.
        if let Ok(file) = PathFd::new(path)
            && let Err(error) = (&mut rules).add_rule(PathBeneath::new(file, AccessFs::ReadFile))
        {
            log::debug!("{}: {error}", path.display());
        }
    }
    let status = rules.restrict_self()?;
    Ok(match status.landlock {
        LandlockStatus::Available { effective_abi, .. }
            if status.ruleset != RulesetStatus::NotEnforced =>
        {
            Some(effective_abi as u32)
        }
        _ => None,
    })
}

/// Where the recording is that a path names, and with it the pieces that follow.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    parent.unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        process::Command,
        thread,
    };

    use super::*;

    #[test]
    fn a_reader_reads_and_with_landlock_does_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let [named, other] = ["named", "other"].map(|name| directory.path().join(name));
        for path in [&named, &other] {
            fs::write(path, "content").expect("a file");
        }
        // What a thread gives up, others of the process keep.
        let confined = thread::spawn(move || {
            let confined = to_reading(std::slice::from_ref(&named));
            assert!(confined.capabilities);
            let held = caps::read(None, caps::CapSet::Permitted).expect("its own");
            assert!(held.iter().all(|one| *one == CAP_DAC_READ_SEARCH));
            assert_eq!(fs::read(&named).expect("it may be read"), b"content");
            let refused = confined.landlock.is_some();
            assert_eq!(File::open(&other).is_err(), refused);
            assert_eq!(File::options().append(true).open(&named).is_err(), refused);
            assert_eq!(Command::new("true").spawn().is_err(), refused);
            assert_eq!(fs::remove_file(&other).is_err(), refused);
        });
        confined.join().expect("all of that holds");
        assert!(Command::new("true").spawn().is_ok());
    }
}
