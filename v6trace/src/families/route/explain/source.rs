//! Sources that a route cannot have.

use std::net::IpAddr;

use super::{Story, about};
use crate::{
    explain::{Diagnosis, Fix, quoted},
    families::route::{Cause, Request},
    ifa,
};

impl Story<'_> {
    pub(super) fn source_is_not_own(&self) -> bool {
        let Some(IpAddr::V6(source)) = self.request.and_then(|request| request.prefsrc) else {
            return false;
        };
        let own = self.paths.map(|paths| &paths.addresses);
        own.is_some_and(|own| own.iter().all(|own| own.address != source))
    }

    pub(super) fn source_not_local(&self) -> Diagnosis {
        let source = self.request.and_then(|request| request.prefsrc);
        let what = source.map_or_else(|| "its source".to_owned(), |it| it.to_string());
        let by = self.request.and_then(Request::only_hop);
        let by = by.and_then(|hop| hop.ifindex);
        let own = self.paths.and_then(|paths| {
            let own = paths.addresses.iter();
            let own = own.filter(|own| source == Some(IpAddr::V6(own.address)));
            // A link-local address may be on several.
            own.max_by_key(|own| by == Some(own.ifindex))
        });
        let has = |flag| own.is_some_and(|own| u32::from(own.flags) & flag != 0);
        let is_tested = has(ifa::TENTATIVE) && !has(ifa::DADFAILED);
        let why = match own {
            None => format!("its source (src) {what} is no address of this host"),
            Some(own) if has(ifa::DADFAILED) => format!(
                "{} has its source (src) {what}, but another node has it too: it failed its test \
                 for duplicates (dadfailed)",
                own.interface
            ),
            Some(own) if is_tested => format!(
                "{} has its source (src) {what}, but still tests it for duplicates (tentative)",
                own.interface
            ),
            Some(own)
                if own.address.is_unicast_link_local()
                    && by.is_some_and(|ifindex| ifindex != own.ifindex) =>
            {
                format!(
                    "its source (src) {what} is link-local and on {}, which is another link",
                    own.interface
                )
            }
            Some(own) => format!(
                "its source (src) {what} could not be used when it was asked for; {} has it: in \
                 another VRF than the route leaves by, or since a moment ago",
                own.interface
            ),
        };
        let mut diagnosis = self
            .told(Cause::SourceNotLocal, &why)
            .with("prefsrc", source.map(|it| it.to_string()))
            .with("own_interface", own.map(|own| own.interface.as_str()));
        if let Some(request) = self.request {
            let names = |ifindex| self.name(ifindex);
            if let Some(words) = request.without_source(&names) {
                let again = self.command(request, &words);
                diagnosis = diagnosis
                    .fix(Fix::new(again).remark("the kernel then chooses the source by itself"));
            }
            if is_tested {
                diagnosis = self.once_more(diagnosis);
            }
            if own.is_none()
                && let (Some(source), Some(interface)) = (source, self.interface())
            {
                let add = format!("ip -6 address add {source}/128 dev {}", quoted(interface));
                diagnosis = diagnosis.fix(self.subject.command(&add).remark(
                    "if it is to be this host's; once it is tested for duplicates, once more",
                ));
            }
        }
        about(diagnosis, source)
    }
}
