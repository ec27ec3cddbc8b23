//! The families of failures: one file for each, with its payloads, hooks and
//! members, its `mod` and a line in the table below.

// One by one, so that `cargo fmt` finds them.
pub mod address;
pub mod advertisement;
pub mod anycast;
pub mod bind;
pub mod dad;
pub mod forwarding;
pub mod multicast_join;
pub mod neighbour;
pub mod option;
pub mod outgoing;
pub mod process;
pub mod request;
pub mod route;
pub mod set_token;
pub mod source_selection;
pub mod sysctl;
pub mod transit;

use crate::{
    Hook, HookInfo, kernel,
    kind::{Constants, Layout},
    member::{Member, Variable},
};

/// What one family of failures adds to the contract.
#[derive(Debug)]
pub struct Family {
    /// Its name, kebab-case: the name of its file.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// Why it is traced only where it is asked for by name; most are traced anyway.
    pub on_request: Option<&'static str>,
    /// The payloads of its records.
    pub payloads: &'static [&'static Layout],
    /// What these are made of beside numbers, addresses and names.
    pub parts: &'static [&'static Layout],
    /// The values of their fields.
    pub constants: &'static [&'static Constants],
    /// Its hooks.
    pub hooks: &'static [HookInfo],
    /// Hooks of other families without which it knows less.
    pub also: &'static [Hook],
    /// What its programs alone read of the kernel.
    pub members: &'static [&'static Member],
    /// The kernel variables that they alone read.
    pub variables: &'static [Variable],
}

macro_rules! families {
    ($($family:ident,)*) => {
        /// Every family.
        pub const FAMILIES: &[&Family] = &[$(&$family::FAMILY),*];
    };
}
families! {
    multicast_join,
    set_token,
    source_selection,
    anycast,
    forwarding,
    dad,
    address,
    advertisement,
    bind,
    outgoing,
    option,
    sysctl,
    route,
    request,
    neighbour,
    transit,
    process,
}

impl Family {
    /// The family with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().copied().find(|family| family.name == name)
    }

    /// Those that are traced where none is asked for by name.
    pub fn by_default() -> impl Iterator<Item = &'static Self> {
        let families = FAMILIES.iter().copied();
        families.filter(|family| family.on_request.is_none())
    }

    /// The family that a hook is of.
    ///
    /// # Panics
    /// No family declares it.
    pub fn of(hook: Hook) -> &'static Self {
        let mut families = FAMILIES.iter().copied();
        let found = families.find(|family| family.hooks.iter().any(|info| info.hook == hook));
        found.expect("every hook is declared by a family")
    }

    /// The hooks that it wants attached, its own and others'.
    pub fn wants(&self) -> impl Iterator<Item = Hook> {
        let own = self.hooks.iter().map(|info| info.hook);
        own.chain(self.also.iter().copied())
    }
}

/// Every member that the programs read.
pub fn members() -> impl Iterator<Item = &'static Member> {
    let own = FAMILIES.iter().flat_map(|family| family.members);
    kernel::MEMBERS.iter().chain(own).copied()
}

/// Every kernel variable that the programs read.
pub fn variables() -> impl Iterator<Item = &'static Variable> {
    let own = FAMILIES.iter().flat_map(|family| family.variables);
    kernel::VARIABLES.iter().chain(own)
}
