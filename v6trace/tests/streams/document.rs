//! The document of a session: what it says, that whoever names an interface writes none of
//! it, and that it has a bounded size.

use std::collections::BTreeSet;

use v6trace::{
    record::Lost,
    record::Record,
    record::SessionInfo,
    recording::Missing,
    render::{Document, DocumentFormat, Render as _},
    report::Options,
    report::Report,
};
use v6trace_common::families::multicast_join::{JOIN, MulticastJoin};

use crate::{
    joins::exhausted,
    stream::{self, EVENT_NS, GUEST, HOST, session},
};

const SECOND: u64 = 1_000_000_000;

/// A failure of `comm` on an interface of a namespace, so long into the stream.
fn failed(interface: &str, comm: &str, at: u64, netns: u32) -> Record {
    let mut join = exhausted();
    join.interface = [0; 16];
    join.interface[..interface.len()].copy_from_slice(interface.as_bytes());
    let mut header = stream::header::<MulticastJoin>(JOIN, netns);
    header.boot_ns = EVENT_NS + at;
    header.comm = [0; 16];
    header.comm[..comm.len()].copy_from_slice(comm.as_bytes());
    stream::kernel(header, &join)
}

fn end() -> Record {
    Record::End {
        boot_ns: EVENT_NS + 60 * SECOND,
    }
}

/// The document of a stream.
pub(crate) fn document(
    format: DocumentFormat,
    records: impl IntoIterator<Item = Record>,
) -> String {
    let mut out = Vec::new();
    let document = Document::new(&mut out, Vec::new(), format);
    let mut report = Report::new(Options::default(), document);
    for record in records {
        let _ = report.feed(&record).unwrap();
    }
    report.into_render().finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn html(records: impl IntoIterator<Item = Record>) -> String {
    document(DocumentFormat::Html, records)
}

/// A storm on 35 interfaces, another failure, and one that is a notice.
fn stream() -> Vec<Record> {
    let mut records = vec![session()];
    let ports = (0..35).map(|n| failed(&format!("swp{n}"), "radvd", n * 20_000_000, HOST));
    records.extend(ports);
    records.push(failed("eth0", "bird", 20 * SECOND, GUEST));
    let mut joined = exhausted();
    joined.ret = -98;
    let mut header = stream::header::<MulticastJoin>(JOIN, HOST);
    header.boot_ns = EVENT_NS + 40 * SECOND;
    records.push(stream::kernel(header, &joined));
    records.push(Record::Lost(Lost {
        boot_ns: EVENT_NS + 41 * SECOND,
        hook: Some(JOIN),
        cpu: Some(0),
        count: 7,
    }));
    records.push(end());
    records
}

/// The values of an attribute.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let ahead = format!(" {attribute}=\"");
    let parts = page.split(ahead.as_str()).skip(1);
    parts.filter_map(|part| part.split('"').next()).collect()
}

#[test]
fn it_says_what_went_wrong_since_when_and_what_to_do() {
    let page = html(stream());
    for part in [
        "<h1>router</h1>",
        "36 failures, 1 notice",
        "The first failure was at 23:13:23.482, by radvd[812] on swp0: a multicast join got ENOMEM",
        "This cause was found 36 times in ",
        "of all processes and interfaces. Not everything could be seen, as is told below.",
        "To do first",
        "restart radvd (pid 812)",
        "… 34 more like it in 0.6 s: swp1 … swp34",
        "netns </span>4026532201",
        "7 events were lost: what they would have told is not here.",
        "<h5>How it is proved</h5>",
        "prefers-color-scheme: dark",
        "@media print",
    ] {
        assert!(page.contains(part), "no {part:?} in {page}");
    }
    let ids = values(&page, "id");
    assert_eq!(
        ids.len(),
        ids.iter().collect::<BTreeSet<_>>().len(),
        "{ids:?}"
    );
    for target in values(&page, "href") {
        let id = target.strip_prefix('#').expect("nothing outside is meant");
        assert!(ids.contains(&id), "no {id}");
    }
    assert!(!page.contains("http://") && !page.contains("src="));
    let ticket = document(DocumentFormat::Markdown, stream());
    for part in [
        "# IPv6 on router: 36 failures, 1 notice",
        "To do first: `restart radvd (pid 812)`",
        "- … 34 more like it in 0.6 s: swp1 … swp34",
        "## 2. FAILURE optmem-exhausted",
        "| `optmem_max` | `20480` |",
    ] {
        assert!(ticket.contains(part), "no {part:?} in {ticket}");
    }
}

/// A line of Markdown without its code.
fn without_code(line: &str) -> String {
    let mut prose = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        if rest[..at].ends_with('\\') {
            prose += &rest[..=at];
            rest = &rest[at + 1..];
            continue;
        }
        prose += &rest[..at];
        let code = rest[at..].trim_start_matches('`');
        let fence = &rest[at..rest.len() - code.len()];
        let end = code.find(fence).expect("the code ends");
        rest = &code[end + fence.len()..];
    }
    prose + rest
}

#[test]
fn names_write_none_of_it() {
    let names = [
        ("<script>x()", "<img src=x>"),
        ("\"onload=x()", "'><b>"),
        ("</code></pre>", "--><h1>"),
        ("]]>&lt;", "a|b`c`\\[x](y)"),
    ];
    let info = SessionInfo {
        hostname: "<script>host</script>".to_owned(),
        kernel: "6.1\"><img>".to_owned(),
        boot_ns: SECOND,
        own_netns: HOST,
        ..SessionInfo::default()
    };
    let records = || {
        let failing = names.iter().zip(0..);
        let failing = failing.map(|(&(name, comm), n)| failed(name, comm, n * SECOND, GUEST + 1));
        [Record::Session(info.clone())]
            .into_iter()
            .chain(failing)
            .chain([end()])
    };
    let page = html(records());
    let plain = html(stream());
    for tag in ["<script", "<img", "<b>", "<h1", "</style", "onload=x()\""] {
        assert_eq!(
            page.matches(tag).count(),
            plain.matches(tag).count(),
            "{tag}"
        );
    }
    assert!(page.contains("&lt;script&gt;host"), "{page}");
    let ticket = document(DocumentFormat::Markdown, records());
    for line in ticket.lines() {
        let prose = without_code(line).replace("\\<", "");
        assert!(!prose.contains('<'), "{line}: {prose}");
    }
}

#[test]
fn its_size_is_bounded_and_what_was_left_out_is_said() {
    let many = |n: u64| {
        let failing = (0..n).map(|n| {
            let netns = GUEST + u32::try_from(n).unwrap();
            failed("eth0", "radvd", n * 1_000_000, netns)
        });
        html([session()].into_iter().chain(failing).chain([end()]))
    };
    let some = many(2_000);
    let more = many(20_000);
    assert!(more.contains("There were 19600 more:"), "nothing is said");
    assert!(
        more.len() < some.len() + 1000,
        "{} {}",
        some.len(),
        more.len()
    );
    assert!(more.len() < 2 << 20, "{}", more.len());
    // What matters more is told instead.
    let mut records = vec![session()];
    for n in 0..450 {
        let mut joined = exhausted();
        joined.ret = -98;
        records.push(stream::kernel(
            stream::header::<MulticastJoin>(JOIN, GUEST + n),
            &joined,
        ));
    }
    records.extend([failed("eth0", "bird", SECOND, HOST), end()]);
    let page = html(records);
    assert!(page.contains("by bird[812] on eth0"), "{page}");
    assert!(page.contains("There were 51 more:"));
}

#[test]
fn what_is_more_than_is_told_hides_no_later_failure() {
    let notices = (0..450).map(|n| {
        let mut joined = exhausted();
        joined.ret = -98;
        stream::kernel(stream::header::<MulticastJoin>(JOIN, GUEST + n), &joined)
    });
    let failures = |comm: &'static str| {
        (0..450).map(move |n| failed("eth0", comm, u64::from(n) * SECOND / 100, GUEST + n))
    };
    let tuesday = || [session(), failed("eth0", "bird", SECOND, HOST), end()];
    let after_notices = html([session()].into_iter().chain(notices).chain(tuesday()));
    assert!(
        after_notices.contains("by bird[812] on eth0"),
        "{after_notices}"
    );
    let after_failures = html(
        [session()]
            .into_iter()
            .chain(failures("radvd"))
            .chain(tuesday()),
    );
    assert!(
        after_failures.contains("by bird[812] on eth0"),
        "{after_failures}"
    );
    assert!(after_failures.contains("There were 51 more:"));
    assert!(after_failures.contains("This cause was found 450 times in "));
}

#[test]
fn what_was_asked_for_is_said() {
    let mut out = Vec::new();
    let asked = Some("process 1".to_owned());
    let document = Document::new(&mut out, Vec::new(), DocumentFormat::Markdown).only(asked);
    let mut report = Report::new(Options::default(), document);
    for record in [session(), end()] {
        let _ = report.feed(&record).unwrap();
    }
    report.into_render().finish().unwrap();
    let ticket = String::from_utf8(out).unwrap();
    for part in [
        "and nothing that was asked for had to be explained. Only process 1 was asked for.",
        "Only process 1 was asked for: nothing else is here.",
    ] {
        assert!(ticket.contains(part), "no {part:?} in {ticket}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let page = html([session(), end()]);
    assert!(page.contains("Nothing to explain was found"), "{page}");
    let mut out = Vec::new();
    let mut document = Document::new(&mut out, Vec::new(), DocumentFormat::Html);
    document.missing("a<b", &Missing::End).unwrap();
    document.finish().unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(
        page.contains("Nothing recorded") && page.contains("a&lt;b: "),
        "{page}"
    );
}
