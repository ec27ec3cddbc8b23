//! The figures as Markdown, one table for each kernel.

use super::figures::{Figure, Figures};

/// The tracer's name where none is at work.
const NONE: &str = "none";

/// How a figure is shown.
struct Row {
    name: &'static str,
    title: &'static str,
    /// Whether what matters is what a tracer adds to the figure without one.
    added: bool,
    digits: usize,
}

const fn added(name: &'static str, title: &'static str) -> Row {
    Row {
        name,
        title,
        added: true,
        digits: 0,
    }
}

const fn plain(name: &'static str, title: &'static str, digits: usize) -> Row {
    Row {
        name,
        title,
        added: false,
        digits,
    }
}

const ROWS: &[Row] = &[
    added("join-leave", "join + leave, ns"),
    added("failing-join", "failing join, ns"),
    added("option-memory", "IPV6_DSTOPTS of a bystander, ns"),
    added("udp-connect", "IPv4 UDP connect, ns"),
    added("tcp-connect", "IPv4 TCP connect, ns"),
    added("bind", "IPv6 socket and bind, ns"),
    added("option", "IPv6 socket option, ns"),
    added("udp6-connect", "IPv6 UDP connect, ns"),
    added("tcp6-connect", "IPv6 TCP connect, ns"),
    added("advertisement", "router advertisement, ns"),
    added("route", "IPv6 route added and deleted, ns"),
    added("route-withdrawn", "IPv6 route of many deleted, ns"),
    added("route-ipv4", "IPv4 route added and deleted, ns"),
    added(
        "down-routes",
        "interface with 10,000 routes set down and up, ns",
    ),
    added("down-beside", "another one set down and up, ns"),
    added(
        "address-routes",
        "address added and deleted beside 10,000 routes, ns",
    ),
    added("request", "IPv6 neighbour replaced, ns"),
    added("neighbour", "IPv6 neighbour added and deleted, ns"),
    added("forwarded", "IPv6 packet sent and forwarded, ns"),
    added("system-call", "system call (getppid), ns"),
    added("udp6-send", "IPv6 datagram sent, ns"),
    plain(
        "failing-join-reader",
        "reader, for each failing join, ns",
        0,
    ),
    plain("define", "events defined beforehand, ms", 0),
    plain("start", "start to ready, ms", 0),
    plain("start-5", "start to ready with 5 hooks, ms", 0),
    plain("start-15", "start to ready with 15 hooks, ms", 0),
    plain("start-50", "start to ready with 50 hooks, ms", 0),
    plain("stop-5", "stop to exit with 5 hooks, ms", 0),
    plain("stop-15", "stop to exit with 15 hooks, ms", 0),
    plain("stop-50", "stop to exit with 50 hooks, ms", 0),
    plain("attach-5", "attaching to the functions of 5 hooks, ms", 0),
    plain("attach-15", "attaching to the functions of 15 hooks, ms", 0),
    plain("attach-50", "attaching to the functions of 50 hooks, ms", 0),
    plain("detach-5", "detaching from the functions of 5 hooks, ms", 0),
    plain(
        "detach-15",
        "detaching from the functions of 15 hooks, ms",
        0,
    ),
    plain(
        "detach-50",
        "detaching from the functions of 50 hooks, ms",
        0,
    ),
    plain("memory", "peak memory, MiB", 1),
    plain("idle", "idle, ns for each second", 0),
    plain("stop", "stop to exit, ms", 0),
    plain("stop-after-work", "stop to exit after the workloads, ms", 0),
    plain("record-reader", "recording: reader, for each join, ns", 0),
    plain("record-bytes", "recording: bytes for each join", 1),
    plain("record-missing", "recording: joins not in it", 0),
    plain("storm", "storm: failing joins, 10,000 a second", 0),
    plain("storm-shown", "storm: explained", 0),
    plain("storm-lost", "storm: said to be lost", 0),
    plain("storm-reader", "storm: reader, for each, ns", 0),
    plain("storm-behind", "storm: last explained after, ms", 0),
    plain("storm-memory", "storm: peak memory, MiB", 1),
    plain("burst", "joins in a burst on two CPUs", 0),
    plain("burst-recorded", "recorded", 0),
    plain("burst-reported-lost", "said to be lost", 0),
    plain("burst-bytes", "bytes for each join", 1),
];

/// Tables of all that was measured.
pub(super) fn markdown(figures: &Figures) -> String {
    let mut text = String::new();
    for (kernel, measured) in &figures.kernels {
        text += &table(kernel, measured);
        text.push('\n');
    }
    if let Some(size) = figures.binary_size {
        text += &format!("The v6trace binary has {size} bytes.\n");
    }
    text
}

fn table(kernel: &str, measured: &[Figure]) -> String {
    let mut tracers: Vec<&str> = Vec::new();
    for figure in measured {
        if !tracers.contains(&figure.tracer.as_str()) {
            tracers.push(&figure.tracer);
        }
    }
    let mut text = format!("\n| Linux {kernel} | {} |\n", tracers.join(" | "));
    text += &format!("|---|{}\n", "--:|".repeat(tracers.len()));
    for row in ROWS {
        let cells: Vec<String> = tracers
            .iter()
            .map(|tracer| cell(measured, row, tracer))
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            text += &format!("| {} | {} |\n", row.title, cells.join(" | "));
        }
    }
    let widest = measured
        .iter()
        .filter(|figure| ROWS.iter().any(|row| row.added && row.name == figure.name))
        .max_by(|a, b| a.spread().total_cmp(&b.spread()));
    if let Some(widest) = widest {
        text += &format!(
            "\nRepetitions lie at most {:.2} % from their middle ({} with {}).\n",
            widest.spread() * 50.0,
            widest.name,
            widest.tracer
        );
    }
    text
}

fn cell(measured: &[Figure], row: &Row, tracer: &str) -> String {
    let median = |tracer: &str| {
        let mut fitting = measured
            .iter()
            .filter(|figure| figure.name == row.name && figure.tracer == tracer);
        fitting.next().map(Figure::median)
    };
    let Some(value) = median(tracer) else {
        return String::new();
    };
    let digits = row.digits;
    match median(NONE) {
        Some(without) if row.added && tracer != NONE => {
            format!("+{:.digits$}", value - without)
        }
        _ => format!("{value:.digits$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, tracer: &str, values: &[f64]) -> Figure {
        Figure {
            name: name.into(),
            tracer: tracer.into(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn costs_are_what_is_added() {
        let mut figures = Figures::default();
        figures.add(
            "6.1.1",
            vec![
                figure("join-leave", "none", &[1000.0, 1010.0, 1020.0]),
                figure("join-leave", "perf", &[5010.0]),
                figure("memory", "perf", &[30.25]),
            ],
        );
        assert_eq!(
            markdown(&figures),
            "\n| Linux 6.1.1 | none | perf |\n|---|--:|--:|\n\
             | join + leave, ns | 1010 | +4000 |\n\
             | peak memory, MiB |  | 30.2 |\n\n\
             Repetitions lie at most 0.99 % from their middle (join-leave with none).\n\n"
        );
    }
}
