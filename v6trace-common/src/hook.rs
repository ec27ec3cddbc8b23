//! What a hook is: which kernel function it watches, and with which of the
//! kernel side's programs.
//!
//! A hook names its candidates in order of preference. Userspace attaches the
//! first whose function this kernel can trace; a later one counts as a
//! fallback, and its note says what is lost by it.

use crate::{families::FAMILIES, member::Member};

/// A hook, as records and loss counters name it. The numbers are those that the
/// families' hooks declare, without gaps.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook(pub u16);

/// One hook and the ways to attach it.
#[derive(Debug)]
pub struct HookInfo {
    /// The hook that this describes.
    pub hook: Hook,
    /// Its name in output, kebab-case.
    pub name: &'static str,
    /// What it watches, in a line.
    pub about: &'static str,
    /// What is not explained without it, as a clause.
    pub without: &'static str,
    /// The functions that serve it, most preferred first.
    pub candidates: &'static [Candidate],
}

/// One function that serves a hook.
#[derive(Debug)]
pub struct Candidate {
    /// The kernel function.
    pub function: &'static str,
    /// The programs for kprobes.
    pub kprobes: Programs,
    /// The programs for a trampoline, which is preferred, if there are any.
    pub trampoline: Option<Programs>,
    /// Members without which the programs can say nothing.
    pub needs: &'static [&'static Member],
    /// What watching this function instead of a preferred one costs.
    pub note: Option<&'static str>,
}

/// The programs of a candidate. That the kernel side has them is checked when
/// userspace is built with it.
#[derive(Clone, Copy, Debug)]
pub struct Programs {
    /// The one to attach where the function is entered.
    pub entry: Option<&'static str>,
    /// The one to attach where it returns.
    pub ret: Option<&'static str>,
    /// The one in which they continue by a tail call, and the map that leads
    /// to it.
    pub continuation: Option<(&'static str, &'static str)>,
    /// Those that have the kernel call the function at all, where it is what a tracepoint
    /// calls: two that do nothing, for one alone is called without it.
    pub openers: &'static [&'static str],
    /// Whether the return is there as long as the entry is and longer: it tells what the
    /// entry took down, and what that took down and nobody told would be lost.
    pub return_outlasts: bool,
}

impl Programs {
    const NONE: Self = Self {
        entry: None,
        ret: None,
        continuation: None,
        openers: &[],
        return_outlasts: false,
    };

    /// One where the function is entered.
    pub const fn entry(entry: &'static str) -> Self {
        Self {
            entry: Some(entry),
            ..Self::NONE
        }
    }

    /// One where the function returns.
    pub const fn ret(ret: &'static str) -> Self {
        Self {
            ret: Some(ret),
            ..Self::NONE
        }
    }

    /// One at each end.
    pub const fn both(entry: &'static str, ret: &'static str) -> Self {
        Self {
            entry: Some(entry),
            ret: Some(ret),
            ..Self::NONE
        }
    }

    /// The same, going on in `program`, to which `map` leads.
    #[must_use]
    pub const fn continued(mut self, program: &'static str, map: &'static str) -> Self {
        self.continuation = Some((program, map));
        self
    }

    /// The same, where `openers` have the kernel call the function.
    #[must_use]
    pub const fn opened(mut self, openers: &'static [&'static str]) -> Self {
        self.openers = openers;
        self
    }

    /// The same, with the return attached ahead of the entry and detached after it.
    #[must_use]
    pub const fn return_outlasts(mut self) -> Self {
        self.return_outlasts = true;
        self
    }

    /// Both ends, or one: without the continuation.
    pub fn ends(&self) -> impl Iterator<Item = &'static str> {
        [self.entry, self.ret].into_iter().flatten()
    }

    /// Every program.
    pub fn all(&self) -> impl Iterator<Item = &'static str> {
        let continuation = self.continuation.map(|(program, _)| program);
        let openers = self.openers.iter().copied();
        self.ends().chain(continuation).chain(openers)
    }
}

/// How many hooks there are.
pub const HOOK_COUNT: usize = {
    let (mut count, mut family) = (0, 0);
    while family < FAMILIES.len() {
        count += FAMILIES[family].hooks.len();
        family += 1;
    }
    count
};

/// Every hook, at its number.
pub static HOOKS: [&HookInfo; HOOK_COUNT] = {
    let mut hooks = [&FAMILIES[0].hooks[0]; HOOK_COUNT];
    let mut taken = [false; HOOK_COUNT];
    let mut family = 0;
    while family < FAMILIES.len() {
        let mut index = 0;
        while index < FAMILIES[family].hooks.len() {
            let info = &FAMILIES[family].hooks[index];
            let number = info.hook.0 as usize;
            assert!(number < HOOK_COUNT, "a hook's number leaves a gap");
            assert!(!taken[number], "two hooks have the same number");
            taken[number] = true;
            hooks[number] = info;
            index += 1;
        }
        family += 1;
    }
    hooks
};

impl Hook {
    /// The hook that `value` stands for, if this version knows it.
    pub fn from_wire(value: u16) -> Option<Self> {
        (usize::from(value) < HOOK_COUNT).then_some(Self(value))
    }

    /// What is known of it.
    ///
    /// # Panics
    /// No family declares a hook of this number.
    pub fn info(self) -> &'static HookInfo {
        HOOKS[usize::from(self.0)]
    }
}
