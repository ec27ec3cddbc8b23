//! Routes that the kernel removes by itself.

mod expired;
mod hop;
mod nexthop;
mod source;
mod withdrawn;

use std::net::Ipv6Addr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::guest::{
    Advertisement, Advertiser, Diagnosis, Expect, Link, Netns, default_routes, host_and_router,
    until,
};
use crate::scenarios::Scenario;

pub(super) const SCENARIOS: [&[Scenario]; 5] = [
    expired::SCENARIOS,
    hop::SCENARIOS,
    withdrawn::SCENARIOS,
    nexthop::SCENARIOS,
    source::SCENARIOS,
];

/// The router's address.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
/// A prefix that it has a route to.
const BEHIND: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x71, 0, 0, 0, 0, 0, 0);

/// A host that heeds what its router advertises.
struct Site {
    host: Netns,
    router: Netns,
    link: Link,
    advertiser: Advertiser,
}

impl Site {
    fn new(name: &str) -> Result<Self> {
        let (host, router, link) = host_and_router(name)?;
        host.set_sysctl("ipv6/conf/v0/accept_ra_rt_info_max_plen", "64")?;
        let port = Link::find(&router, "v1")?;
        let advertiser = Advertiser::new(&router, &port, ROUTER)?;
        Ok(Self {
            host,
            router,
            link,
            advertiser,
        })
    }

    /// Advertises so many seconds, and waits until the host has a default route of it.
    fn learn(&self, lifetime: u16) -> Result<()> {
        self.learn_of(&lasting(lifetime))
    }

    fn learn_of(&self, advertisement: &Advertisement) -> Result<()> {
        self.learn_by(&self.advertiser, advertisement, |routes| !routes.is_empty())
    }

    /// Has it sent until the host's default routes of advertisements are as they should
    /// be: a link may not be up yet.
    fn learn_by(
        &self,
        advertiser: &Advertiser,
        advertisement: &Advertisement,
        holds: impl Fn(&[(String, String)]) -> bool,
    ) -> Result<()> {
        let message = advertisement.bytes();
        let what = "the host should have a default route of the advertisement";
        until(what, Duration::from_secs(5), || {
            let sent = advertiser.send(&message).is_ok();
            sent && default_routes(&self.host).is_ok_and(|routes| holds(&routes))
        })
    }

    fn has_learnt(&self) -> Result<bool> {
        Ok(!default_routes(&self.host)?.is_empty())
    }

    /// Somebody on the router's link says that it is no router.
    fn demote(&self) -> Result<()> {
        // Override, and neither R nor S.
        let mut message = vec![136, 0, 0, 0, 0x20, 0, 0, 0];
        message.extend(ROUTER.octets());
        message.extend([2, 1, 2, 0, 0, 0, 0, 1]);
        self.advertiser.send(&message)
    }

    /// Waits until the default route of the advertisement is gone.
    fn forgets(&self) -> Result<()> {
        let what = "the host should have no default route of an advertisement";
        until(what, Duration::from_secs(5), || {
            self.has_learnt().is_ok_and(|has| !has)
        })
    }

    /// Lets lifetimes of a second run out, and the kernel look for them.
    fn expire(&self) -> Result<()> {
        sleep(Duration::from_millis(1300));
        self.host.set_sysctl("ipv6/route/flush", "1")
    }

    fn routes(&self) -> Result<Vec<String>> {
        super::shown(&self.host, "-6 route show table all")
    }

    /// Follows a fix, which brings a route with these words and takes none away.
    fn follow(&self, diagnosis: &Diagnosis, fix: &str, has: &[&str]) -> Result<()> {
        let before = self.routes()?;
        diagnosis.follow(fix)?;
        let after = self.routes()?;
        ensure!(
            before.iter().all(|route| after.contains(route)),
            "{fix} takes routes away: there were {before:#?}, now {after:#?}"
        );
        ensure!(
            after
                .iter()
                .any(|route| has.iter().all(|word| route.contains(word))),
            "{fix} brings no {has:?}: {after:#?}"
        );
        Ok(())
    }

    /// What holds of all routes that go from the host's link.
    fn expect<'d>(&self, diagnosis: &'d Diagnosis) -> Expect<'d> {
        self.expect_of(diagnosis, "route-removal")
    }

    /// The same of what changes.
    fn expect_of<'d>(&self, diagnosis: &'d Diagnosis, operation: &'static str) -> Expect<'d> {
        diagnosis
            .expect()
            .field("operation", operation)
            .field("confidence", "certain")
            .field("errno", Value::Null)
            .field("netns", self.host.inode())
            .field("interface", "v0")
            .field("ifindex", self.link.ifindex)
    }
}

/// An advertisement of a default router for so many seconds.
fn lasting(lifetime: u16) -> Advertisement {
    let mut advertisement = Advertisement::new();
    advertisement.lifetime = lifetime;
    advertisement
}

/// A route that went, in the evidence.
fn lost(destination: &str, metric: u32) -> Value {
    json!({
        "destination": destination,
        "gateway": ROUTER.to_string(),
        "protocol": 9,
        "table": 254,
        "metric": metric,
        "nexthop_id": null,
        "member_id": null,
    })
}
