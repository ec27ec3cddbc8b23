//! Which of the guest's scenarios are to run.

use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::binaries::Binaries;
use crate::changes::{self, Changes};
use crate::{process, progress};

/// How scenarios are selected.
pub(crate) enum Selection {
    /// All there are.
    All,
    /// By their names.
    Only(Vec<String>),
    /// Those of the families that this branch changes.
    Changed,
}

/// A scenario, as the guest lists it.
struct Listed {
    name: String,
    /// None where it is about no single one.
    family: Option<String>,
}

impl Selection {
    /// The names of the selected scenarios, in the guest's order.
    pub(crate) fn choose(&self, binaries: &Binaries) -> Result<Vec<String>> {
        let all = list(binaries)?;
        let chosen: Vec<&Listed> = match self {
            Self::All => all.iter().collect(),
            Self::Only(names) => {
                if let Some(unknown) = names
                    .iter()
                    .find(|name| all.iter().all(|listed| listed.name != **name))
                {
                    let all: Vec<&str> = all.iter().map(|listed| listed.name.as_str()).collect();
                    bail!(
                        "there is no scenario {unknown:?}; there are:\n  {}",
                        all.join("\n  ")
                    );
                }
                let wanted = |listed: &&Listed| names.contains(&listed.name);
                all.iter().filter(wanted).collect()
            }
            Self::Changed => match changes::of_this_branch()? {
                Changes::Everywhere(file) => {
                    progress::say(&format!("Testing everything: {file} has changed"));
                    all.iter().collect()
                }
                Changes::Families(families) => {
                    progress::say(&format!("Testing what has changed: {families:?}"));
                    let wanted = |listed: &&Listed| {
                        let family = listed.family.as_ref();
                        family.is_some_and(|family| families.contains(family))
                    };
                    all.iter().filter(wanted).collect()
                }
            },
        };
        Ok(chosen.iter().map(|listed| listed.name.clone()).collect())
    }
}

/// Asks the guest's binary, which prints a name and perhaps a family a line.
fn list(binaries: &Binaries) -> Result<Vec<Listed>> {
    let lines = process::output(Command::new(&binaries.guest).arg("list"))?;
    let listed = lines.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        Some(Listed {
            name: words.next()?,
            family: words.next(),
        })
    });
    let listed: Vec<Listed> = listed.collect();
    ensure!(!listed.is_empty(), "the guest binary lists no scenarios");
    Ok(listed)
}
