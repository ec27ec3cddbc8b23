//! Routes whose interface has no carrier.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::guest::{Checked, Netns, host_and_router, second_link};
use crate::scenarios::route::{marked, shown};
use crate::scenarios::{Scenario, scenario};

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario("route-without-carrier", in_the_way),
    scenario("route-without-carrier-of-longer-prefix", longer),
    scenario("route-without-carrier-vrf", vrf),
    scenario("route-without-carrier-only-one", only_one),
    scenario("route-without-carrier-on-a-host", on_a_host),
    scenario("route-without-carrier-not-taken", not_taken),
];

/// A namespace with links to another one, v0 and w0.
struct Site {
    host: Netns,
    far: Netns,
}

impl Site {
    fn new(name: &str) -> Result<Self> {
        let (host, far, _) = host_and_router(name)?;
        second_link(&host, &far)?;
        Ok(Self { host, far })
    }

    /// The same of a host that forwards.
    fn router(name: &str) -> Result<Self> {
        let site = Self::new(name)?;
        site.host.set_sysctl("ipv6/conf/all/forwarding", "1")?;
        Ok(site)
    }

    fn add(&self, route: &str) -> Result<()> {
        self.host.ip(&format!("-6 route add {route}"))
    }

    /// Unplugs v0, and waits until its routes say so.
    fn unplug(&self) -> Result<()> {
        self.far.ip("link set v1 down")?;
        marked(&self.host, true)
    }

    /// All routes, without what is said of their carrier.
    fn routes(&self) -> Result<BTreeSet<String>> {
        let lines = shown(&self.host, "-6 route show table all")?;
        let without = |line: String| line.replace(" dead", "").replace(" linkdown", "");
        Ok(lines.into_iter().map(without).collect())
    }

    /// What the kernel says of a way.
    fn way(&self, to: &str) -> Result<String> {
        Ok(shown(&self.host, &format!("-6 route get {to}"))?.join(" "))
    }
}

/// A backup is not used while the first comes first.
fn in_the_way() -> Result<()> {
    let site = Site::router("rwcw")?;
    site.add("default via fe80::1 dev v0 metric 10")?;
    site.add("default via fe80::9 dev w0 metric 20")?;
    site.add("fd00:91::/48 via fe80::1 dev v0 metric 10")?;
    site.add("fd00:91::/48 via fe80::9 dev w0 metric 20")?;
    site.add("fd00:92::/48 via fe80::1 dev v0 metric 10")?;
    Checked::now()?.silent(&site.host)?;
    site.unplug()?;
    let before = site.way("2001:db8:7::7")?;
    ensure!(before.contains("dev v0"), "it goes {before}");
    let checked = Checked::now()?;
    checked.silent(&site.far)?;
    let found = checked.only(&site.host, "route-without-carrier")?;
    found
        .expect()
        .field("severity", "hazard")
        .field("confidence", "certain")
        .field("interface", "v0")
        .field("address", "::")
        .evidence("route", "default via fe80::1 dev v0 metric 10")
        .evidence("other_route", "default via fe80::9 dev w0 metric 20")
        .evidence("route_count", 2)
        .evidence("carrier", false)
        .evidence("ignore_linkdown", 0)
        .evidence("all_forwarding", 1)
        .summary_has([
            "v0 has no carrier",
            "and 1 more by it",
            "to the first of these default via fe80::9",
        ])
        .check()?;
    let routes = site.routes()?;
    found.follow("ignore_routes_with_linkdown=1")?;
    let left = site.routes()?;
    let lost: Vec<_> = routes.difference(&left).collect();
    ensure!(lost.is_empty(), "it took away {lost:?}");
    let after = site.way("2001:db8:7::7")?;
    ensure!(after.contains("dev w0"), "it goes {after}");
    Checked::now()?.silent(&site.host)
}

/// What is in the way stands for a default route, and another one is there.
fn longer() -> Result<()> {
    let site = Site::router("rwcl")?;
    site.add("2000::/3 via fe80::1 dev v0 metric 20")?;
    site.add("default via fe80::9 dev w0 metric 30")?;
    site.unplug()?;
    let checked = Checked::now()?;
    let found = checked.only(&site.host, "route-without-carrier")?;
    found
        .expect()
        .field("address", "2000::")
        .evidence("route", "2000::/3 via fe80::1 dev v0 metric 20")
        .evidence("other_route", "default via fe80::9 dev w0 metric 30")
        .check()?;
    found.follow("ignore_routes_with_linkdown=1")?;
    let after = site.way("2001:db8:7::7")?;
    ensure!(after.contains("dev w0"), "it goes {after}");
    Checked::now()?.silent(&site.host)
}

/// In a VRF, and of another prefix.
fn vrf() -> Result<()> {
    let site = Site::router("rwcv")?;
    site.host.ip("link add red type vrf table 91")?;
    site.host.ip("link set red up")?;
    for link in ["v0", "w0"] {
        site.host.ip(&format!("link set {link} master red"))?;
    }
    site.add("fd00:92::/48 dev v0 metric 10 table 91")?;
    site.add("fd00:92::/48 via fe80::1 dev v0 metric 11 table 91")?;
    site.add("fd00:92::/48 via fe80::9 dev w0 metric 20 table 91")?;
    site.unplug()?;
    // What is no default route is looked at where it has a gateway.
    Checked::now()?.silent(&site.host)?;
    site.host
        .ip("-6 route del fd00:92::/48 dev v0 metric 10 table 91")?;
    let checked = Checked::now()?;
    let found = checked.only(&site.host, "route-without-carrier")?;
    found
        .expect()
        .field("interface", "v0")
        .field("address", "fd00:92::")
        .evidence(
            "route",
            "fd00:92::/48 via fe80::1 dev v0 table 91 metric 11",
        )
        .check()?;
    found.follow("ignore_routes_with_linkdown=1")?;
    let after = site.way("fd00:92::7 vrf red")?;
    ensure!(after.contains("dev w0"), "it goes {after}");
    Checked::now()?.silent(&site.host)
}

/// No other route leads out.
fn only_one() -> Result<()> {
    let site = Site::new("rwco")?;
    site.add("default via fe80::1 dev v0 metric 10")?;
    site.add("default via fe80::9 dev w0 metric 20 from fd00:93::/64")?;
    site.unplug()?;
    let checked = Checked::now()?;
    checked
        .only(&site.host, "route-without-carrier")?
        .expect()
        .field("severity", "hazard")
        .evidence("other_route", Value::Null)
        .evidence("all_forwarding", 0)
        .summary_has(["No other route of its table leads there"])
        .no_fix_has("sysctl")
        .check()?;
    // What is there works.
    site.far.ip("link set v1 up")?;
    site.host.carries("v0")?;
    marked(&site.host, false)?;
    Checked::now()?.silent(&site.host)
}

/// A host that does not forward finds out by itself, unless it never asks.
fn on_a_host() -> Result<()> {
    let asks = Site::new("rwch")?;
    let never = Site::new("rwcn")?;
    for site in [&asks, &never] {
        site.add("default via fe80::1 dev v0 metric 10")?;
        site.add("default via fe80::9 dev w0 metric 20")?;
    }
    never
        .host
        .ip("-6 neigh add fe80::1 dev v0 lladdr 02:00:00:00:00:01 nud permanent")?;
    asks.unplug()?;
    never.unplug()?;
    let checked = Checked::now()?;
    checked.silent(&asks.host)?;
    let found = checked.only(&never.host, "route-without-carrier")?;
    found
        .expect()
        .evidence("all_forwarding", 0)
        .evidence("other_route", "default via fe80::9 dev w0 metric 20")
        .check()?;
    found.follow("ignore_routes_with_linkdown=1")?;
    Checked::now()?.silent(&never.host)
}

/// A backup that took over, a port without a route, one that the kernel passes over, one of
/// higher metric, and one that is dormant and sends.
fn not_taken() -> Result<()> {
    let [took_over, unrouted, passed_over, second, dormant] =
        ["rwct", "rwcu", "rwcp", "rwcs", "rwcd"].map(Site::router);
    let (took_over, unrouted, passed_over, second, dormant) =
        (took_over?, unrouted?, passed_over?, second?, dormant?);
    dormant.add("default via fe80::1 dev v0 metric 10")?;
    dormant.add("default via fe80::9 dev w0 metric 20")?;
    dormant
        .host
        .ip("link set dev v0 mode dormant state dormant")?;
    marked(&dormant.host, true)?;
    took_over.add("default via fe80::1 dev v0 metric 10")?;
    took_over.add("default via fe80::9 dev w0 metric 5")?;
    unrouted.add("default via fe80::9 dev w0")?;
    unrouted.host.ip("address add fd00:94::1/64 dev v0 nodad")?;
    passed_over
        .host
        .set_sysctl("ipv6/conf/v0/ignore_routes_with_linkdown", "1")?;
    passed_over.add("default via fe80::1 dev v0 metric 10")?;
    passed_over.add("default via fe80::9 dev w0 metric 20")?;
    second.add("2000::/3 via fe80::9 dev w0")?;
    second.add("default via fe80::1 dev v0 metric 10")?;
    let sites = [took_over, unrouted, passed_over, second];
    sites.iter().try_for_each(Site::unplug)?;
    let checked = Checked::now()?;
    checked.silent(&dormant.host)?;
    sites.iter().try_for_each(|site| checked.silent(&site.host))
}
