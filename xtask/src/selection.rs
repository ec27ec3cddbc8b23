//! Which of the guest's scenarios are to run.

use anyhow::{Result, bail, ensure};

use crate::architecture::Architecture;
use crate::changes::{self, Changes};
use crate::prepare::Prepared;
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
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// None where it is about no single one.
    family: Option<String>,
    /// What its guest's kernel is to be told, if anything.
    pub(crate) boot: Option<String>,
    /// Whether its guest has the daemons that others have not.
    pub(crate) daemons: bool,
    /// Those with the same number share their tracers.
    pub(crate) batch: Option<String>,
}

impl Selection {
    /// The selected scenarios, in the guest's order.
    pub(crate) fn choose(
        &self,
        architecture: &Architecture,
        prepared: &Prepared,
    ) -> Result<Vec<Listed>> {
        let all = list(architecture, prepared)?;
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
        Ok(chosen.into_iter().cloned().collect())
    }
}

/// Asks the guest's binary, which prints a line for each: a name, a family, what its
/// kernel is to be told, whether it takes daemons, with a dash for what there is none of,
/// and its batch.
fn list(architecture: &Architecture, prepared: &Prepared) -> Result<Vec<Listed>> {
    let guest = &prepared.binaries.guest;
    let lines = process::output(prepared.tools.run(architecture, guest).arg("list"))?;
    let listed = lines.lines().filter_map(|line| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let name = words.next()?;
        let mut word = || words.next().filter(|word| word != "-");
        Some(Listed {
            name,
            family: word(),
            boot: word(),
            daemons: word().is_some(),
            batch: word(),
        })
    });
    let listed: Vec<Listed> = listed.collect();
    ensure!(!listed.is_empty(), "the guest binary lists no scenarios");
    Ok(listed)
}
