//! A container as its operator knows it: by its runtime's names, not by numbers of
//! the kernel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Digits of an id that are shown where nothing else names the container, as
/// `docker ps` does.
const SHORT: usize = 12;

/// What a process, or a network namespace, is part of.
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

/// A pod of Kubernetes.
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

    /// Whether somebody who says `wanted` means this one: its name, the beginning of its
    /// id, or its pod, with or without the namespace.
    pub fn is_called(&self, wanted: &str) -> bool {
        let is_named = self.name.as_deref() == Some(wanted);
        let has_id = !wanted.is_empty() && self.id.starts_with(wanted);
        is_named || has_id || self.pod.as_ref().is_some_and(|pod| pod.is_called(wanted))
    }
}

impl Pod {
    fn is_called(&self, wanted: &str) -> bool {
        let is_named = |(namespace, name): &(String, String)| {
            name == wanted || wanted.split_once('/') == Some((namespace.as_str(), name.as_str()))
        };
        self.uid == wanted || self.named.as_ref().is_some_and(is_named)
    }
}

/// `pod NAMESPACE/NAME`, else `container NAME`.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pod {
            Some(pod) => write!(f, "pod {pod}"),
            None => write!(f, "container {}", self.name()),
        }
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
    fn shown_and_called_as_operators_do() {
        let id = "3f2504e04f8911d39a0c0305e82c33013f2504e04f8911d39a0c0305e82c3301";
        let mut web = Container {
            id: id.to_owned(),
            ..Container::default()
        };
        assert_eq!(web.to_string(), "container 3f2504e04f89");
        assert!(web.is_called("3f2504e0") && web.is_called(id));
        assert!(!web.is_called("") && !web.is_called("f2504e04") && !web.is_called("web"));
        web.name = Some("web".to_owned());
        assert_eq!(web.to_string(), "container web");
        assert!(web.is_called("web") && web.is_called("3f25"));
        let uid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427".to_owned();
        let named = Some(("shop".to_owned(), "web-0".to_owned()));
        web.pod = Some(Pod { uid, named });
        assert_eq!(web.to_string(), "pod shop/web-0");
        assert!(web.is_called("shop/web-0") && web.is_called("web-0") && web.is_called("web"));
        assert!(!web.is_called("other/web-0") && !web.is_called("shop"));
    }
}
