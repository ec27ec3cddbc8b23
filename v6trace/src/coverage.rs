//! Which hooks were attached, and how: part of the stream, since that nothing
//! was seen means something only where somebody was looking.

mod troubles;

use std::fmt;

use serde::{Deserialize, Serialize};
use v6trace_common::Hook;

pub use troubles::Trouble;

/// What became of every hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// One line per hook.
    pub hooks: Vec<HookCoverage>,
    /// Families that were left out on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// What this kernel's structs lack, with what that means.
    pub absent: Vec<String>,
    /// Why this host has no IPv6, where it has none: then the hooks that are about it
    /// never fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_ipv6: Option<String>,
}

/// Where a kernel keeps a member that the programs read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedMember {
    /// Type and member path, as `net.core.sysctl_optmem_max`; only the type
    /// where its size was wanted.
    pub member: String,
    /// What the programs were told: an offset or a size in bytes, for some
    /// bits a packed `Bits`; `None` where this kernel has no such member.
    pub value: Option<u32>,
}

/// What became of one hook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HookCoverage {
    /// The hook's name.
    pub hook: String,
    /// The kernel function: the one attached, else the one preferred.
    pub function: String,
    /// Whether and how it is attached.
    pub status: Status,
    /// By which of the kernel's ways, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Why, where that is not as it should be.
    pub note: Option<String>,
}

/// A way in which the kernel runs programs at a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// Probes at its entry, and where it returns.
    Kprobe,
    /// A trampoline (fentry and fexit): cheaper, and only for functions in the
    /// kernel's own BTF.
    Trampoline,
    /// One that a newer version has.
    #[serde(other)]
    Other,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Kprobe => "kprobe",
            Self::Trampoline => "trampoline",
            Self::Other => "other",
        })
    }
}

/// Whether and how a hook is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// To the preferred function.
    Attached,
    /// To another one; the note says at which cost.
    Fallback,
    /// Not: this kernel has no such function.
    Missing,
    /// Not: several functions bear the name.
    Ambiguous,
    /// Not: the kernel refused, or lacks what the programs must read.
    Refused,
    /// What a newer version says.
    #[serde(other)]
    Other,
}

impl HookCoverage {
    /// Whether the hook fires.
    pub const fn is_attached(&self) -> bool {
        match self.status {
            Status::Attached | Status::Fallback => true,
            Status::Missing | Status::Ambiguous | Status::Refused => false,
            Status::Other => self.via.is_some(),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Attached => "attached",
            Self::Fallback => "fallback",
            Self::Missing => "missing",
            Self::Ambiguous => "ambiguous",
            Self::Refused => "refused",
            Self::Other => "other",
        })
    }
}

impl Coverage {
    /// The hooks that fire.
    pub fn attached(&self) -> impl Iterator<Item = &HookCoverage> {
        self.hooks.iter().filter(|hook| hook.is_attached())
    }

    /// The families that were left out on request, in words; `None` without.
    pub fn left_out(&self) -> Option<String> {
        (!self.left_out.is_empty()).then(|| self.left_out.join(", "))
    }

    /// Whether this hook fires.
    pub fn has(&self, hook: Hook) -> bool {
        self.attached()
            .any(|attached| attached.hook == hook.info().name)
    }

    /// Whether this hook was wanted and does not fire: what it counts was not counted.
    pub fn lacks(&self, hook: Hook) -> bool {
        let mut hooks = self.hooks.iter();
        hooks.any(|it| it.hook == hook.info().name && !it.is_attached())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_version_says_is_no_obstacle() {
        let text = r#"{"hook": "h", "function": "f", "status": "borrowed", "via": "uprobe"}"#;
        let hook: HookCoverage = serde_json::from_str(text).unwrap();
        assert_eq!((hook.status, hook.via), (Status::Other, Some(Via::Other)));
        assert!(hook.is_attached());
    }
}
