//! The lines of JSON as types. `docs/schema.json`, which `v6trace schema` prints, is made
//! of them, so that what is written and what is promised are the same.

use std::{borrow::Cow, collections::BTreeMap, fmt};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Serialize, Serializer, ser::SerializeMap as _};

#[cfg(test)]
use crate::explain::Value;
use crate::{
    catalogue::Severity,
    coverage::HookCoverage,
    event::Event,
    explain::{Confidence, Evidence, Fix},
    recording::MissingPart,
};

/// A line that v6trace writes with --json. Fields may be added; those below keep their
/// name, unit and meaning within a `schema`.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Line<'l> {
    /// The first line of a session.
    Session(Session<'l>),
    /// An occurrence is explained.
    Diagnosis(Explained<'l>),
    /// Something is the matter with the host as it was looked at.
    Finding(Explained<'l>),
    /// Of `v6trace why`: comes ahead of the diagnoses, most decisive first.
    Answer(Answer<'l>),
    /// With --events: what was decoded.
    Event(Happened<'l>),
    /// Events could not be delivered.
    Lost(Lost),
    /// A recording is not whole.
    Missing(Missing<'l>),
    /// The last line of a session.
    Summary(Summary<'l>),
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Session<'l> {
    /// Version of the lines' fields.
    pub(super) schema: u32,
    /// Version of v6trace.
    pub(super) version: &'l str,
    /// As `uname -r` has it.
    pub(super) kernel: &'l str,
    pub(super) hostname: &'l str,
    /// UTC.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) started: String,
    /// Inode number of v6trace's own network namespace.
    pub(super) netns: u32,
    /// What became of each hook.
    pub(super) coverage: &'l [HookCoverage],
    /// What this kernel's structs lack, and what that means.
    pub(super) absent: &'l [String],
    /// Families that were left out on request.
    pub(super) left_out: &'l [String],
    /// Why the host has no IPv6.
    pub(super) without_ipv6: Option<&'l str>,
}

/// A diagnosis or a finding.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Explained<'l> {
    /// Stable code; `v6trace explain CODE` has the long text.
    pub(super) cause: &'l str,
    pub(super) severity: Severity,
    /// Of the kernel event, UTC with nanoseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) time: &'l str,
    /// The same, nanoseconds since boot.
    pub(super) boot_ns: u64,
    /// What was attempted.
    pub(super) operation: &'l str,
    /// What it returned, such as ENOMEM.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) errno: Option<Shown<crate::errno::Errno>>,
    /// Of the task that did it; null where it was a kernel worker or a softirq.
    pub(super) pid: Option<u32>,
    pub(super) tid: Option<u32>,
    pub(super) comm: Option<&'l str>,
    /// The systemd service of this host that the task belongs to.
    pub(super) unit: Option<&'l str>,
    /// The container that the task is part of, else the one that has the network namespace
    /// to itself: its name, or how its id begins.
    pub(super) container: Option<&'l str>,
    pub(super) container_id: Option<&'l str>,
    /// The pod likewise, as NAMESPACE/NAME, or its id.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) pod: Option<Shown<&'l crate::container::Pod>>,
    /// Inode number of the network namespace.
    pub(super) netns: u32,
    /// Its name under /run/netns.
    pub(super) netns_name: Option<&'l str>,
    pub(super) ifindex: Option<u32>,
    pub(super) interface: Option<&'l str>,
    /// The address or group concerned.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub(super) address: Option<std::net::IpAddr>,
    /// What failed and why, with the deciding values.
    pub(super) summary: &'l str,
    /// The values that prove it, named after the kernel's members and sysctls; null where
    /// one could not be read.
    #[serde(serialize_with = "evidence")]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Value>"))]
    pub(super) evidence: &'l [Evidence],
    /// What to do, most advisable first; a remark follows after two blanks and `#`.
    #[serde(serialize_with = "fixes")]
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    pub(super) fix: &'l [Fix],
    pub(super) confidence: Confidence,
    /// The number of its group in the session, as `--no-fold` says of text; null in an
    /// answer. Findings have groups of their own.
    pub(super) group: Option<u64>,
    /// How many of that group were ahead of it.
    pub(super) repeat: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Answer<'l> {
    /// The name of the command's program; null where a process was followed.
    pub(super) command: Option<&'l str>,
    /// Its exit status.
    pub(super) status: Option<i32>,
    /// The number of the signal that ended it.
    pub(super) signal: Option<i32>,
    /// How many processes were followed.
    pub(super) processes: u64,
    /// Connections without an outcome that was seen, and what datagrams were sent to.
    pub(super) open: Vec<Open<'l>>,
    /// Diagnoses for which there was no room.
    pub(super) dropped: u64,
}

/// What was begun, and came to nothing that was seen.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Open<'l> {
    pub(super) call: &'l str,
    #[cfg_attr(test, schemars(with = "String"))]
    pub(super) address: std::net::IpAddr,
    pub(super) port: u16,
    pub(super) pid: u32,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Happened<'l> {
    pub(super) hook: &'l str,
    /// UTC with nanoseconds.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub(super) time: &'l str,
    /// The same, nanoseconds since boot.
    pub(super) boot_ns: u64,
    pub(super) cpu: u32,
    pub(super) context: Context,
    /// Of the current task, which in other contexts than `task` had no part in it.
    pub(super) pid: u32,
    pub(super) tid: u32,
    pub(super) comm: &'l str,
    /// Inode number of the network namespace.
    pub(super) netns: u32,
    pub(super) cgroup_id: u64,
    /// The event's own values.
    #[serde(flatten)]
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Value>"))]
    pub(super) fields: Fields<'l>,
}

/// What the kernel was doing.
#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Context {
    /// What a task asked for.
    Task,
    /// What one of its threads does.
    KernelThread,
    /// Receiving, or a timer.
    Softirq,
}

impl From<v6trace_common::Context> for Context {
    fn from(context: v6trace_common::Context) -> Self {
        match context {
            v6trace_common::Context::Task => Self::Task,
            v6trace_common::Context::KernelThread => Self::KernelThread,
            v6trace_common::Context::Softirq => Self::Softirq,
        }
    }
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Lost {
    /// Null where it cannot be told.
    pub(super) hook: Option<&'static str>,
    /// Null where the kernel left out calls, which it counts by program only.
    pub(super) cpu: Option<u32>,
    pub(super) count: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Missing<'l> {
    pub(super) file: &'l str,
    #[serde(flatten)]
    pub(super) part: MissingPart,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Summary<'l> {
    /// How many there were, by cause.
    pub(super) diagnoses: BTreeMap<&'l str, u64>,
    /// How many there were when the session began; null where the host was not looked at.
    pub(super) findings: Option<u64>,
    /// What of the host could not be looked at, for a person.
    pub(super) unseen: Option<String>,
    /// How many were decoded.
    pub(super) events: u64,
    /// How many could not be delivered.
    pub(super) lost: u64,
    /// How many could not be decoded.
    pub(super) undecoded: u64,
    pub(super) duration_ns: u64,
}

/// What has a form as text, in that form.
pub(super) struct Shown<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An event's own values, by their names. There may be millions, so there is no copy of
/// them in between.
pub(super) struct Fields<'l>(pub(super) &'l Event);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut written = Ok(());
        self.0.occurrence().fields(&mut |name, field| {
            if written.is_ok() {
                written = map.serialize_entry(name, &field);
            }
        });
        written?;
        map.end()
    }
}

fn evidence<S: Serializer>(evidence: &[Evidence], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(evidence.iter().map(|one| (one.name, &one.value)))
}

/// Each action with its remark as a shell takes it.
fn fixes<S: Serializer>(fixes: &[Fix], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(fixes.iter().map(|fix| match fix.remark {
        Some(remark) => Cow::Owned([&fix.action, "  # ", remark].concat()),
        None => Cow::Borrowed(&*fix.action),
    }))
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use schemars::generate::SchemaSettings;

    use super::*;

    #[test]
    fn the_schema_is_that_of_the_lines() {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let schema = settings.into_generator().into_root_schema_for::<Line<'_>>();
        let made = serde_json::to_string_pretty(&schema).expect("it is JSON") + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema.json");
        if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::write(path, made).expect("the schema can be written");
            return;
        }
        assert!(
            fs::read_to_string(path).is_ok_and(|written| written == made),
            "docs/schema.json is not that of the lines; \
             `SNAPSHOTS=overwrite cargo test --package v6trace --lib schema` writes it anew"
        );
    }
}
