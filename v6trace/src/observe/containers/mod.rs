//! Which container a cgroup is of, and what its operator calls it.
//!
//! ```text
//! path of the cgroup -> path: its id, the pod's -> names: the runtimes' files
//! ```
//!
//! A user's own systemd calls cgroups what the user likes: below it nothing is looked up
//! by what they are called, and no pod is believed.

mod files;
mod names;
mod path;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::container::Container;

/// For how long what a container is called is taken to be so.
const LASTS: Duration = Duration::from_secs(10);
/// Of how many that is kept.
const KEPT: usize = 1024;

/// What containers are called, by id, and since when.
static CALLED: Mutex<Option<HashMap<String, (Instant, Container)>>> = Mutex::new(None);

/// The container whose cgroup has this path.
pub(crate) fn of(cgroup: &str) -> Option<Container> {
    let found = path::container(cgroup)?;
    if path::is_of_a_user(cgroup) {
        return Some(Container { pod: None, ..found });
    }
    let mut called = CALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let called = called.get_or_insert_default();
    let known = called.get(&found.id);
    if let Some((since, known)) = known
        && since.elapsed() < LASTS
    {
        return Some(known.clone());
    }
    let named = names::named(found);
    if called.len() >= KEPT {
        called.clear();
    }
    called.insert(named.id.clone(), (Instant::now(), named.clone()));
    Some(named)
}
