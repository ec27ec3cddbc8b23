//! Why nothing could be attached: one message, with the way out.

use std::fmt::Write as _;

use aya::{EbpfError, maps::MapError, programs::ProgramError};
use lz4_flex::block::DecompressError;
use thiserror::Error;

use crate::{
    btf::{BtfError, MemberError},
    coverage::Coverage,
    error_chain::with_causes,
    privilege::Privileges,
    symbols::SymbolsError,
};

/// Lines of the verifier's log that a message shows.
const VERIFIER_LINES: usize = 6;

/// Why live tracing did not start.
#[derive(Debug, Error)]
pub enum AttachError {
    /// Built without the eBPF object.
    #[error(
        "this v6trace was built without its kernel side, so it cannot trace; build it with \
         `cargo xtask build`"
    )]
    NoObject,
    /// The eBPF object lacks a map or program of the tables.
    #[error("the kernel side of this v6trace has no {0}; build both sides from one source")]
    Object(&'static str),
    /// The eBPF object cannot be unpacked.
    #[error("the kernel side of this v6trace is damaged ({0}); copy or install it anew")]
    Damaged(#[from] DecompressError),
    /// The kernel's types could not be read.
    #[error(transparent)]
    Btf(#[from] BtfError),
    /// The kernel's types contradict themselves.
    #[error("the kernel's BTF cannot be used: {0}")]
    Member(#[from] MemberError),
    /// The kernel's symbols could not be read.
    #[error(transparent)]
    Symbols(#[from] SymbolsError),
    /// The kernel refused maps or programs.
    #[error("the kernel did not accept v6trace's programs: {error}{}", hints())]
    Load {
        /// What it said.
        error: String,
    },
    /// What the events go to could not be opened.
    #[error("{}", with_causes(.0.as_ref()))]
    Prepare(anyhow::Error),
    /// A map was not what it should be.
    #[error(transparent)]
    Map(#[from] MapError),
    /// A program was not what it should be.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Iterators are not known without the running kernel's own types.
    #[error("what sockets have joined is read with the running kernel's own BTF alone")]
    NoIterator,
    /// An iterator could not be read.
    #[error("the kernel does not list what sockets have joined: {0}")]
    Iterator(std::io::Error),
    /// Not one hook could be attached.
    #[error("no hook could be attached:{}{}", hints(), reasons(.coverage))]
    Nothing {
        /// Each hook with its reason.
        coverage: Coverage,
    },
}

impl AttachError {
    /// Loading the object failed.
    pub(super) fn load(error: &EbpfError) -> Self {
        Self::Load {
            error: with_causes(error),
        }
    }

    /// The kernel refused a program. The end of the verifier's log says why;
    /// the whole of it is for `-vv`.
    pub(super) fn program(error: &ProgramError) -> Self {
        let ProgramError::LoadError {
            io_error,
            verifier_log,
        } = error
        else {
            return Self::Load {
                error: with_causes(error),
            };
        };
        let log = verifier_log.to_string();
        log::debug!("the verifier's log:\n{log}");
        let lines: Vec<&str> = log.trim_end().lines().collect();
        let end = lines[lines.len().saturating_sub(VERIFIER_LINES)..].join("\n    ");
        Self::Load {
            error: format!("{io_error}; the verifier says:\n    {end}"),
        }
    }

    /// Each hook with the reason why it could not be attached, where it got as
    /// far as that.
    pub fn coverage(&self) -> Option<&Coverage> {
        match self {
            Self::Nothing { coverage } => Some(coverage),
            _ => None,
        }
    }
}

fn reasons(coverage: &Coverage) -> String {
    let mut reasons = String::new();
    for trouble in coverage.troubles() {
        let _ = write!(reasons, "\n  {trouble}");
    }
    reasons
}

/// What is known to stand in the way, each with its way out.
fn hints() -> String {
    let mut text = String::new();
    for obstacle in Privileges::read().obstacles() {
        if obstacle.blocks {
            let _ = write!(text, "\n  {}\n    fix  {}", obstacle.what, obstacle.fix);
        }
    }
    if text.is_empty() {
        text.push_str("\n  `v6trace doctor` shows what this kernel offers");
    }
    text
}
