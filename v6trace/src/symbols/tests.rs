use super::{table::MAX_SUFFIXED, *};
use proptest::prelude::*;
use std::fs;

const TABLE: &str = "\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _text
ffffffff81000010 T sock_kmalloc
ffffffff81000020 t helper
ffffffff81000030 t helper
ffffffff81000040 t ip6_pkt_drop.isra.0
ffffffff81000050 t ip6_pkt_drop.cold
ffffffff81000060 T dev_change
ffffffff81000070 t dev_change.cold
ffffffff81000080 W weak_function
ffffffff82000000 D sysctl_optmem_max
ffffffff82000008 b counter
ffffffff82000010 b counter
ffffffff82000018 d helper
ffffffff82000020 d __key.5
ffffffff82000028 r names.0
ffffffffc0000000 t bridge_input\t[bridge]
ffffffffc0000010 t sock_kmalloc_extra\t[bridge]
ffffffffc0000020 t shared\t[bridge]
ffffffffc0000030 t shared\t[llc]
";

fn load(table: &str, names: &[&str]) -> Result<Symbols, SymbolsError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), table).unwrap();
    // Each by itself: one that is absent keeps the reader going to the end.
    let groups: Vec<_> = names.iter().map(|name| vec![*name]).collect();
    Symbols::load(file.path(), &groups)
}

#[test]
fn tells_what_the_kernel_has() {
    let names = [
        "sock_kmalloc",
        "helper",
        "ip6_pkt_drop",
        "dev_change",
        "weak_function",
        "bridge_input",
        "shared",
        "sysctl_optmem_max",
        "counter",
        "names",
        "gone",
        "",
        "sock_kmalloc",
    ];
    let symbols = load(TABLE, &names).unwrap();
    let present = |address| SymbolStatus::Present { address };
    for (name, expected) in [
        ("sock_kmalloc", present(0xffff_ffff_8100_0010)),
        ("weak_function", present(0xffff_ffff_8100_0080)),
        ("dev_change", present(0xffff_ffff_8100_0060)),
        ("bridge_input", present(0xffff_ffff_c000_0000)),
        ("helper", SymbolStatus::Ambiguous { count: 2 }),
        ("shared", SymbolStatus::Ambiguous { count: 2 }),
        (
            "ip6_pkt_drop",
            SymbolStatus::OnlySuffixed {
                names: vec![
                    "ip6_pkt_drop.isra.0".to_owned(),
                    "ip6_pkt_drop.cold".to_owned(),
                ],
            },
        ),
        ("sysctl_optmem_max", SymbolStatus::Missing),
        ("gone", SymbolStatus::Missing),
        ("names", SymbolStatus::Missing),
        ("_text", SymbolStatus::Missing),
        ("", SymbolStatus::Missing),
    ] {
        assert_eq!(symbols.status(name), expected, "{name}");
    }
    assert_eq!(
        symbols.address("sysctl_optmem_max"),
        Some(0xffff_ffff_8200_0000)
    );
    assert_eq!(symbols.address("helper"), Some(0xffff_ffff_8200_0018));
    assert_eq!(symbols.address("counter"), None, "several of that name");
    assert_eq!(
        symbols.address("sock_kmalloc"),
        Some(0xffff_ffff_8100_0010),
        "a function"
    );
    assert_eq!(symbols.address("_text"), None, "not asked for");
    assert!(!symbols.hidden());
}

#[test]
fn hidden_addresses() {
    let table = "0000000000000000 T sock_kmalloc\n0000000000000000 D sysctl_optmem_max";
    let symbols = load(table, &["sock_kmalloc", "sysctl_optmem_max"]).unwrap();
    assert!(symbols.hidden());
    assert_eq!(
        symbols.status("sock_kmalloc"),
        SymbolStatus::Present { address: 0 }
    );
    assert_eq!(symbols.address("sysctl_optmem_max"), None);
}

#[test]
fn refuses_other_files() {
    for (table, line) in [
        ("0000000000000000 T a\nhello\n", 2),
        ("nothexadecimal T a\n", 1),
        ("ffff T a\nfffg T sock_kmalloc\n", 2),
        ("ffffffff81000000 T\n", 1),
        ("+fff T a\n", 1),
        (&"0".repeat(5000), 1),
        (&format!("1 T {}", "x".repeat(5000)), 1),
    ] {
        let error = load(table, &["sock_kmalloc"]).unwrap_err();
        assert!(
            matches!(error, SymbolsError::Format { line: at, .. } if at == line),
            "{error}"
        );
    }
    assert!(matches!(load("", &[]), Err(SymbolsError::Empty { .. })));
    let error = Symbols::load(Path::new("/nonexistent/kallsyms"), &[]).unwrap_err();
    assert!(error.to_string().contains("--kallsyms FILE"), "{error}");
}

#[test]
fn reads_no_further_than_it_must() {
    const REST: &str = "this is no line of a symbol table";
    let load = |table: &str, groups: &[&[&'static str]]| {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), format!("{table}{REST}\n")).unwrap();
        let groups: Vec<_> = groups.iter().map(|group| group.to_vec()).collect();
        Symbols::load(file.path(), &groups)
    };
    let code = "ffffffff81000000 T set_link_af\nffffffff81000010 t helper\n";
    let end = "ffffffff81000020 T _etext\n";
    let variable = "ffffffff82000000 D sysctl_optmem_max\n";
    let whole = [code, end, variable].concat();
    let functions: &[&str] = &["set_token", "set_link_af"];
    let variables: &[&str] = &["sysctl_optmem_max"];

    let symbols = load(&[code, end].concat(), &[functions]).unwrap();
    assert_eq!(symbols.status("set_token"), SymbolStatus::Missing);
    let symbols = load(&whole, &[functions, variables]).unwrap();
    assert!(symbols.address("sysctl_optmem_max").is_some());
    // Another of a name may come as long as the code goes on.
    assert!(load(code, &[functions]).is_err());
    // A module may have what the kernel itself has not, in any order.
    let module = "ffffffffc0000000 t bridge_input\t[bridge]\n";
    assert!(load(&whole, &[functions, &["bridge_input"]]).is_err());
    assert!(load(&[&whole, module].concat(), &[functions, &["bridge_input"]]).is_err());
}

#[test]
fn keeps_few_suffixed_forms() {
    let table = "ffffffff81000000 t f.part.0\n".repeat(1000);
    let symbols = load(&table, &["f"]).unwrap();
    let SymbolStatus::OnlySuffixed { names } = symbols.status("f") else {
        panic!()
    };
    assert_eq!(names.len(), MAX_SUFFIXED);
}

proptest! {
    #[test]
    fn any_line_is_taken_or_refused(line in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Table::new(&[vec!["sock_kmalloc"]]).take(&line);
    }

    #[test]
    fn nearly_right_lines(line in "[0-9a-fg]{0,18} [tTdD.] [a.\t \\[]{0,8}") {
        let _ = Table::new(&[vec!["a", "aa", ""]]).take(line.as_bytes());
    }
}

/// Where the machine shows its symbols: one that every kernel has.
#[test]
fn this_machines_kernel() {
    let group = vec!["ksys_read", "ksys_reads"];
    if let Ok(symbols) = Symbols::load(Path::new(KALLSYMS), &[group]) {
        assert!(matches!(
            symbols.status("ksys_read"),
            SymbolStatus::Present { .. }
        ));
        assert_eq!(symbols.status("ksys_reads"), SymbolStatus::Missing);
    }
}
