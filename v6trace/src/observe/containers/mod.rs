//! Which container a cgroup is of, and what its operator calls it.
//!
//! ```text
//! path of the cgroup -> path: its id, the pod's -> names: the runtimes' files
//! ```

mod files;
mod names;
mod path;

use crate::container::Container;

/// The container whose cgroup has this path.
pub(crate) fn of(cgroup: &str) -> Option<Container> {
    let found = path::container(cgroup)?;
    Some(names::named(found, cgroup))
}
