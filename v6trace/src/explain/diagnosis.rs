//! A diagnosis: one explained occurrence, before it is text or JSON.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

use crate::{
    catalogue::{Cause, Severity},
    container::{Container, Pod},
    errno::Errno,
    event::{Event, Task},
    session::Session,
};

/// One explained occurrence.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// The cause, with its code and long text.
    pub cause: Cause,
    /// How bad it is.
    pub severity: Severity,
    /// When the kernel event happened, nanoseconds since boot.
    pub boot_ns: u64,
    /// What was attempted, kebab-case.
    pub operation: &'static str,
    /// What the operation returned, if it returned an error.
    pub errno: Option<Errno>,
    /// The task that did it.
    pub task: Option<Task>,
    /// The systemd service that the task belongs to.
    pub unit: Option<String>,
    /// The container that the task is part of, else the one that has the network
    /// namespace to itself.
    pub container: Option<Container>,
    /// The pod that the container is of, else the one that has the network namespace.
    pub pod: Option<Pod>,
    /// Whether it is these that have the network namespace.
    pub is_their_netns: bool,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The interface's index and, where known, name.
    pub ifindex: Option<u32>,
    /// The interface's name.
    pub interface: Option<String>,
    /// The address or group concerned.
    pub address: Option<IpAddr>,
    /// What failed and why, in a sentence or two, with the deciding values.
    pub summary: String,
    /// The values that prove it.
    pub evidence: Vec<Evidence>,
    /// What to do, most advisable first.
    pub fix: Vec<Fix>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// How sure a diagnosis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The deciding condition was read.
    Certain,
    /// It was inferred; the summary says from what.
    Likely,
}

/// One value that proves a diagnosis.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The name of the kernel's member or sysctl.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

/// A value of the evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A yes or no.
    Flag(bool),
    /// A word or an address.
    Text(String),
    /// Several values.
    List(Vec<Value>),
    /// Named values that belong together, in order.
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<String, Value>"))]
    Group(#[serde(serialize_with = "as_map")] Vec<(&'static str, Value)>),
    /// Not known.
    Unknown,
}

fn as_map<S: Serializer>(
    values: &[(&'static str, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}

macro_rules! value_from {
    ($($from:ty => $make:expr;)*) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                ($make)(value)
            }
        })*
    };
}
value_from! {
    i32 => |v| Value::Number(i64::from(v));
    i64 => Value::Number;
    u32 => |v| Value::Number(i64::from(v));
    // Inode numbers beyond i64 do not occur.
    u64 => |v| i64::try_from(v).map_or(Value::Unknown, Value::Number);
    bool => Value::Flag;
    String => Value::Text;
    &str => |v: &str| Value::Text(v.to_owned());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// A command to paste, or a sentence where no command does it.
    pub action: String,
    /// What it does or costs.
    pub remark: Option<&'static str>,
}

impl Fix {
    /// Something to do that needs no remark.
    pub fn new(action: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            remark: None,
        }
    }

    /// Adds what it does or costs.
    #[must_use]
    pub fn remark(mut self, remark: &'static str) -> Self {
        self.remark = Some(remark);
        self
    }
}

impl Diagnosis {
    /// A diagnosis of `event`, certain and without evidence so far.
    pub fn new(
        event: &Event,
        cause: impl Into<Cause>,
        operation: &'static str,
        summary: String,
    ) -> Self {
        let cause = cause.into();
        let occurrence = event.occurrence();
        Self {
            cause,
            severity: cause.severity(),
            boot_ns: event.boot_ns,
            operation,
            errno: None,
            task: event.culprit().cloned(),
            unit: None,
            container: None,
            pod: None,
            is_their_netns: false,
            netns: event.netns,
            ifindex: occurrence.ifindex(),
            interface: occurrence.interface().map(str::to_owned),
            address: None,
            summary,
            // More than most have; growing costs more than the room.
            evidence: Vec::with_capacity(16),
            fix: Vec::with_capacity(4),
            confidence: Confidence::Certain,
        }
    }

    /// What is the matter with a network namespace as it was looked at, likewise.
    pub(crate) fn of_state(
        netns: u32,
        boot_ns: u64,
        cause: impl Into<Cause>,
        summary: String,
    ) -> Self {
        let cause = cause.into();
        Self {
            cause,
            severity: cause.severity(),
            boot_ns,
            operation: "check",
            errno: None,
            task: None,
            unit: None,
            container: None,
            pod: None,
            is_their_netns: false,
            netns,
            ifindex: None,
            interface: None,
            address: None,
            summary,
            evidence: Vec::new(),
            fix: Vec::new(),
            confidence: Confidence::Certain,
        }
    }

    /// Says what the task, or the network namespace, is part of.
    #[must_use]
    pub(crate) fn belonging(mut self, session: &Session) -> Self {
        let task = self.task.as_ref();
        self.unit = task.and_then(|task| session.unit(task.pid).map(str::to_owned));
        let whose = session.whose(task, self.netns);
        self.container = whose.container.cloned();
        self.pod = whose.pod.cloned();
        self.is_their_netns = whose.is_their_netns;
        self
    }

    /// Says which interface it is about.
    #[must_use]
    pub(crate) fn on(mut self, ifindex: u32, interface: &str) -> Self {
        self.ifindex = Some(ifindex);
        self.interface = Some(interface.to_owned());
        self
    }

    /// Adds a value to the evidence.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.add(name, value);
        self
    }

    /// The same, where it stays in place.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>) {
        self.evidence.push(Evidence {
            name,
            value: value.into(),
        });
    }

    /// A value of the evidence.
    pub(crate) fn evidence(&self, name: &str) -> Option<&Value> {
        let evidence = self.evidence.iter().find(|evidence| evidence.name == name);
        evidence.map(|evidence| &evidence.value)
    }

    /// Whether it is not certain.
    pub(crate) fn is_likely(&self) -> bool {
        self.confidence == Confidence::Likely
    }

    /// Adds something to do.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix.push(fix);
        self
    }

    /// Of a refused request that waited until the session's end, with so many before it.
    /// By then anything may be there, and the number of its namespace be another's: it
    /// has no fix.
    pub(crate) fn held_back(mut self, before: u32) -> Self {
        self.summary += &match before {
            0 => " It waited, as more such requests were refused than are told one by one."
                .to_owned(),
            _ => format!(
                " It is the last of {} such requests that were not told one by one.",
                before.saturating_add(1)
            ),
        };
        self.fix.clear();
        self
    }

    /// Says that the cause was inferred.
    #[must_use]
    pub fn likely(mut self) -> Self {
        self.confidence = Confidence::Likely;
        self
    }
}
