//! Containers and pods as their operators know them: by their runtimes' names, not by
//! numbers of the kernel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Digits of an id that OCI runtimes make.
const DIGITS: usize = 64;
/// Of these, how many are shown where nothing else names the container, as `docker ps`
/// does.
const SHORT: usize = 12;
/// How many say enough which one is meant.
const ENOUGH: usize = 4;

/// What a process is part of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Container {
    /// Its id, as its runtime gives it.
    pub id: String,
    /// Its name, where the runtime's files tell.
    pub name: Option<String>,
    /// The pod that it is of.
    pub pod: Option<Pod>,
}

/// A pod of Kubernetes, whose containers have one network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pod {
    /// Its id.
    pub uid: String,
    /// Its namespace and its name, where files of kubelet or the runtime tell.
    pub named: Option<(String, String)>,
}

impl Container {
    /// Its name, else the beginning of its id.
    pub fn name(&self) -> &str {
        let short = || self.id.get(..SHORT).unwrap_or(&self.id);
        self.name.as_deref().unwrap_or_else(short)
    }

    /// Whether they have one network namespace: they are the same, or of one pod.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        match (&self.pod, &other.pod) {
            (Some(pod), Some(other)) => pod.uid == other.uid,
            _ => self.id == other.id,
        }
    }

    /// Whether somebody who says `wanted` means this one: its name, its id or how that
    /// begins, or its pod.
    pub fn is_called(&self, wanted: &str) -> bool {
        let begins =
            self.id.len() == DIGITS && wanted.len() >= ENOUGH && self.id.starts_with(wanted);
        self.name.as_deref() == Some(wanted)
            || self.id == wanted
            || begins
            || self.pod.as_ref().is_some_and(|pod| pod.is_called(wanted))
    }
}

impl Pod {
    /// Whether somebody who says `wanted` means this one: its name, with or without the
    /// namespace, or its id.
    pub fn is_called(&self, wanted: &str) -> bool {
        let is_named = |(namespace, name): &(String, String)| {
            name == wanted || wanted.split_once('/') == Some((namespace.as_str(), name.as_str()))
        };
        self.uid == wanted || self.named.as_ref().is_some_and(is_named)
    }
}

/// `NAMESPACE/NAME`, else its id.
impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.named {
            Some((namespace, name)) => write!(f, "{namespace}/{name}"),
            None => f.write_str(&self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn called_as_operators_do() {
        let id = "3f2504e04f8911d39a0c0305e82c33013f2504e04f8911d39a0c0305e82c3301";
        let mut web = Container {
            id: id.to_owned(),
            ..Container::default()
        };
        assert_eq!(web.name(), "3f2504e04f89");
        assert!(web.is_called("3f2504e0") && web.is_called(id));
        assert!(!web.is_called("") && !web.is_called("3f2") && !web.is_called("web"));
        web.name = Some("web".to_owned());
        assert_eq!(web.name(), "web");
        assert!(web.is_called("web") && web.is_called("3f25") && !web.is_called("we"));
        let uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned();
        let named = Some(("shop".to_owned(), "web-0".to_owned()));
        web.pod = Some(Pod { uid, named });
        assert!(web.is_called("shop/web-0") && web.is_called("web-0"));
        assert!(!web.is_called("other/web-0") && !web.is_called("shop"));
        // An id that somebody chose is a name.
        let lxc = Container {
            id: "web2-blue".to_owned(),
            ..Container::default()
        };
        assert!(lxc.is_called("web2-blue") && !lxc.is_called("web2"));
    }
}
