//! The timeline as a picture in the page.

use maud::{Markup, html};

use super::{
    html::class,
    timeline::{Lane, Mark, Timeline, places},
};
use crate::catalogue::Severity;

/// In the picture's own units: where lanes begin, how far a place and a lane go.
const LEFT: u64 = 176;
const PLACE: u64 = 12;
const LANE: u64 = 30;
const TOP: u64 = 16;

/// Draws it; a mark leads to the anchor of the first that it stands for.
pub(super) fn picture(timeline: &Timeline, anchor: &dyn Fn(usize) -> String) -> Markup {
    let lanes = timeline.lanes.len() as u64;
    let bottom = TOP + lanes * LANE;
    let width = LEFT + places() * PLACE + 48;
    let middle = |lane: usize| TOP + lane as u64 * LANE + LANE / 2;
    html! {
        svg.timeline viewBox={ "0 0 " (width) " " (bottom + 30) } role="img"
            aria-label="When each diagnosis was, by interface" {
            @for (place, name) in &timeline.ticks {
                line.grid x1=(x(*place)) x2=(x(*place)) y1=(TOP) y2=(bottom) {}
                text.tick x=(x(*place)) y=(bottom + 20) text-anchor="middle" { (name) }
            }
            @for (index, lane) in timeline.lanes.iter().enumerate() {
                line.lane x1=(LEFT) x2=(LEFT + places() * PLACE) y1=(middle(index)) y2=(middle(index)) {}
                text.name x="0" y=(middle(index) + 4) {
                    (shortened(&lane.name))
                    title { (lane.name) }
                }
            }
            @for (index, lane) in timeline.lanes.iter().enumerate() {
                (marks(lane, middle(index), anchor))
            }
        }
    }
}

fn marks(lane: &Lane, y: u64, anchor: &dyn Fn(usize) -> String) -> Markup {
    html! {
        @for Mark { place, until, severity, count, number, title } in &lane.marks {
            a href={ "#" (anchor(*number)) } class={ "mark " (class(*severity)) } {
                title { (title) @if *count > 1 { ", " (count) " times" } }
                @if until > place {
                    line.until x1=(x(*place)) x2=(x(*until)) y1=(y) y2=(y) {}
                }
                @match severity {
                    Severity::Failure => circle cx=(x(*place)) cy=(y) r="6" {},
                    Severity::Hazard => path d={ "M" (x(*place)) " " (y - 7) "l7 12h-14z" } {},
                    Severity::Notice => circle.hollow cx=(x(*place)) cy=(y) r="4" {},
                }
                @if *count > 1 {
                    text.count x=(x(*place) + 9) y=(y - 4) { (count) }
                }
            }
        }
    }
}

/// Where a place is.
const fn x(place: u64) -> u64 {
    LEFT + place * PLACE
}

/// As much of a lane's name as there is room for.
fn shortened(name: &str) -> String {
    const ROOM: usize = 22;
    if name.chars().count() <= ROOM {
        return name.to_owned();
    }
    let kept: String = name.chars().take(ROOM - 1).collect();
    kept + "…"
}
