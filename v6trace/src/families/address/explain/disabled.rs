//! An interface on which IPv6 is switched off, and how it came to that.

use super::refused::Story;
use crate::{
    explain::{Diagnosis, Fix, Value, seconds_before},
    families::address::{Cause, Host, Wrote},
};

impl Story<'_> {
    pub(super) fn disabled_diagnosis(&self) -> Diagnosis {
        let request = self.request;
        let name = self.name();
        let value = self.disabled().unwrap_or_default();
        let why = format!(
            "IPv6 is switched off on {name} (disable_ipv6 = {value}). {}",
            self.origin()
        );
        let host = request.host;
        let mut diagnosis =
            self.told(Cause::Ipv6Disabled, &why)
                .with("disable_ipv6", value)
                .with("all_disable_ipv6", host.map(|host| host.all))
                .with("default_disable_ipv6", host.map(|host| host.default))
                .with("set_by", self.set_by())
                .fix(self.subject.set(name, "disable_ipv6", 0).remark(
                    "fe80:: and what routers advertise come back by themselves, nothing else",
                ))
                .fix(Fix::new(self.add()).remark("once more"));
        if host.is_some_and(|host| host.default != 0) {
            diagnosis = diagnosis.fix(
                self.subject
                    .set("default", "disable_ipv6", 0)
                    .remark("for interfaces yet to come"),
            );
        }
        diagnosis
    }

    /// Where the value came from, as far as that is known.
    fn origin(&self) -> String {
        let name = self.name();
        if let Some(writer) = &self.request.writer {
            let who = format!("{} (pid {})", writer.comm, writer.pid);
            let ago = seconds_before(self.subject.event.boot_ns, writer.boot_ns);
            return match writer.wrote {
                Some(Wrote::All) => format!(
                    "{who} set it {ago} before, by net.ipv6.conf.all.disable_ipv6, which is copied \
                     to every interface"
                ),
                Some(Wrote::Default) => format!(
                    "{who} set net.ipv6.conf.default.disable_ipv6 {ago} before, with which \
                     interfaces begin"
                ),
                Some(Wrote::Interface) | None => {
                    format!("{who} set it {ago} before, for {name} alone")
                }
            };
        }
        let unseen = "who set it was not seen";
        match self.request.host {
            Some(Host { all, .. }) if all != 0 => format!(
                "net.ipv6.conf.all.disable_ipv6 is {all} too, and was copied to every interface when \
                 it was written; {unseen}"
            ),
            Some(Host { default, .. }) if default != 0 => format!(
                "net.ipv6.conf.default.disable_ipv6 is {default}, with which interfaces begin; \
                 {unseen}"
            ),
            Some(_) => {
                format!("That of all and default is 0, so it was set for {name} alone; {unseen}")
            }
            None => format!("The value of all could not be read, and {unseen}"),
        }
    }

    fn set_by(&self) -> Value {
        let Some(writer) = &self.request.writer else {
            return Value::Unknown;
        };
        let wrote = writer.wrote.map(|wrote| wrote.of(self.name()).to_owned());
        Value::Group(vec![
            ("comm", writer.comm.as_str().into()),
            ("pid", writer.pid.into()),
            ("wrote", wrote.into()),
            (
                "ns_before",
                self.subject
                    .event
                    .boot_ns
                    .saturating_sub(writer.boot_ns)
                    .into(),
            ),
        ])
    }
}
