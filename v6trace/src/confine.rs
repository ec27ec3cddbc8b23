//! What a process that reads recordings gives up first: they come from others, and one
//! that found a fault in the reader could then do no more than print.
//!
//! Landlock, of kernels from 5.13 on, lets it open nothing but the recordings. A filter of
//! system calls, of all kernels, lets it make no socket, run no program, change no file and
//! reach no other process. What is open already stays so: the output. Both hold for the
//! thread that asks for them, and for those that it starts.

use std::{
    collections::BTreeMap,
    env::consts::ARCH,
    path::{Path, PathBuf},
};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

/// The newest Landlock whose rights are given up; an older kernel leaves out those that it
/// does not know.
const NEWEST: ABI = ABI::V6;

/// System calls that no reader makes, but for those that open files.
const REFUSED: &[libc::c_long] = &[
    // Other machines and processes.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_io_uring_setup,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kill,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    // Files.
    libc::SYS_openat2,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_fchmodat,
    libc::SYS_fchownat,
    libc::SYS_truncate,
    libc::SYS_setxattr,
    // The machine.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_userfaultfd,
];

/// Those that architectures of old have beside them.
#[cfg(target_arch = "x86_64")]
const REFUSED_OF_OLD: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_creat,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_mknod,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_vfork,
    libc::SYS_fork,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_OF_OLD: &[libc::c_long] = &[];

/// What is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confined {
    /// The version of Landlock; `None` where the kernel has none.
    pub(crate) landlock: Option<u32>,
    /// Whether system calls are refused.
    pub(crate) filter: bool,
}

/// From now on this thread opens nothing but these files, and what is in these directories,
/// and only to read.
///
/// What the kernel lacks is done without.
pub(crate) fn to_reading(paths: &[PathBuf]) -> Confined {
    let landlock = restrict(paths).unwrap_or_else(|error| {
        log::debug!("Landlock does not confine reading: {error}");
        None
    });
    let filter = filter();
    if let Err(error) = &filter {
        log::debug!("no filter of system calls confines reading: {error}");
    }
    Confined {
        landlock,
        filter: filter.is_ok(),
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

fn filter() -> Result<(), seccompiler::Error> {
    let architecture = TargetArch::try_from(ARCH)?;
    let always = REFUSED.iter().chain(REFUSED_OF_OLD);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        always.map(|&call| (call, Vec::new())).collect();
    rules.insert(libc::SYS_openat, to_write()?);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.cast_unsigned()),
        architecture,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)
}

/// Files that are opened to be written, or made.
fn to_write() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let flags = [
        (libc::O_ACCMODE, libc::O_WRONLY),
        (libc::O_ACCMODE, libc::O_RDWR),
        (libc::O_CREAT, libc::O_CREAT),
        (libc::O_TRUNC, libc::O_TRUNC),
    ];
    let rules = flags.into_iter().map(|(mask, value)| {
        let [mask, value] = [mask, value].map(|bits| u64::from(bits.cast_unsigned()));
        let operator = SeccompCmpOp::MaskedEq(mask);
        let condition = SeccompCondition::new(2, SeccompCmpArgLen::Dword, operator, value)?;
        SeccompRule::new(vec![condition])
    });
    rules.collect()
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
        net::UdpSocket,
        process::Command,
        thread,
    };

    use super::*;

    #[test]
    fn a_reader_reads_and_does_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let [named, other] = ["named", "other"].map(|name| directory.path().join(name));
        for path in [&named, &other] {
            fs::write(path, "content").expect("a file");
        }
        // What a thread gives up, others of the process keep.
        let confined = thread::spawn(move || {
            let confined = to_reading(std::slice::from_ref(&named));
            assert!(confined.filter);
            assert_eq!(fs::read(&named).expect("it may be read"), b"content");
            assert!(File::options().append(true).open(&named).is_err());
            assert!(fs::remove_file(&other).is_err());
            assert_eq!(File::open(&other).is_err(), confined.landlock.is_some());
            assert!(UdpSocket::bind("[::1]:0").is_err());
            assert!(Command::new("true").spawn().is_err());
        });
        confined.join().expect("all of that holds");
        assert!(Command::new("true").spawn().is_ok());
    }
}
