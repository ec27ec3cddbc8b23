//! When what came of a run, and how busy this machine was until then: where its time
//! went.

use std::fs;
use std::time::{Duration, Instant};

/// Begins with the run.
pub(crate) struct Timeline {
    since: Instant,
    /// By then.
    spent: Option<Spent>,
    marks: Vec<Mark>,
}

/// Something that came.
struct Mark {
    what: &'static str,
    /// Since the run began.
    at: Duration,
    /// The part of the processors' time that nobody wanted since then, in percent.
    idle: Option<u64>,
}

/// The time of all processors since the machine booted, whoever had it, in ticks.
#[derive(Clone, Copy)]
struct Spent {
    idle: u64,
    whole: u64,
}

impl Timeline {
    pub(crate) fn begin() -> Self {
        Self {
            since: Instant::now(),
            spent: spent(),
            marks: Vec::new(),
        }
    }

    pub(crate) fn mark(&mut self, what: &'static str) {
        self.add(what, self.since.elapsed(), spent());
    }

    fn add(&mut self, what: &'static str, at: Duration, now: Option<Spent>) {
        let idle = self.spent.zip(now).and_then(|(then, now)| {
            let whole = now.whole.checked_sub(then.whole)?;
            (100 * now.idle.checked_sub(then.idle)?).checked_div(whole)
        });
        self.marks.push(Mark { what, at, idle });
    }

    /// A line for each mark.
    pub(crate) fn table(&self) -> String {
        let lines = self.marks.iter().map(|Mark { what, at, idle }| {
            let idle = idle.map_or(String::new(), |idle| format!(", {idle} % idle until then"));
            format!("\nafter {} s: {what}{idle}", at.as_secs())
        });
        lines.collect()
    }
}

fn spent() -> Option<Spent> {
    parse(&fs::read_to_string("/proc/stat").ok()?)
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait and more, of which the
/// last two are part of the first two.
fn parse(stat: &str) -> Option<Spent> {
    let words = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks = words.split_whitespace().take(8).map(str::parse);
    let ticks = ticks.collect::<Result<Vec<u64>, _>>().ok()?;
    Some(Spent {
        idle: ticks.get(3)? + ticks.get(4)?,
        whole: ticks.iter().sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_is_what_nobody_wanted() {
        let spent = parse("cpu  10 20 30 400 50 6 7 8 9 10\ncpu0 1 2 3\n").unwrap();
        assert_eq!((spent.idle, spent.whole), (450, 531));
        assert!(parse("").is_none());
        assert!(parse("cpu  a b\n").is_none());
    }

    #[test]
    fn a_line_for_each_mark() {
        let spent = |idle, whole| Some(Spent { idle, whole });
        let mut timeline = Timeline {
            since: Instant::now(),
            spent: spent(400, 1000),
            marks: Vec::new(),
        };
        let marks = [
            ("half the time was wanted", 12, spent(500, 1200)),
            ("then all of it", 24, spent(500, 1400)),
            ("nobody knows", 340, None),
        ];
        for (what, seconds, now) in marks {
            timeline.add(what, Duration::from_secs(seconds), now);
        }
        assert_eq!(
            timeline.table(),
            "\nafter 12 s: half the time was wanted, 50 % idle until then\
             \nafter 24 s: then all of it, 25 % idle until then\
             \nafter 340 s: nobody knows"
        );
    }
}
