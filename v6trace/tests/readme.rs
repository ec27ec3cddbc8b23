//! README's table of causes, which is made from the catalogue.
//! `SNAPSHOTS=overwrite cargo test --package v6trace --test readme` writes it anew.

use std::{env, fs, path::Path};

use v6trace::catalogue::{Severity, sections};

const BEGIN: &str = "<!-- From the catalogue: see v6trace/tests/readme.rs. -->\n";
const END: &str = "<!-- The end of that. -->\n";

#[test]
fn the_table_has_every_cause() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(&path).expect("the README can be read");
    let (before, rest) = readme.split_once(BEGIN).expect("the table begins");
    let (written, after) = rest.split_once(END).expect("the table ends");
    let table = table();
    if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        let readme = [before, BEGIN, &table, END, after].concat();
        fs::write(&path, readme).expect("the README can be written");
        return;
    }
    assert!(
        written == table,
        "README's table of causes is not what the catalogue has; \
         `SNAPSHOTS=overwrite cargo test --package v6trace --test readme` writes it anew"
    );
}

/// A row for each family and for what shows in states, with the severity of what is no failure.
fn table() -> String {
    let mut table = String::from("| family | about | causes |\n|---|---|---|\n");
    for (name, about, causes) in sections() {
        let causes: Vec<_> = causes
            .into_iter()
            .map(|cause| {
                let severity = match cause.severity() {
                    Severity::Failure => "",
                    Severity::Hazard => " (hazard)",
                    Severity::Notice => " (notice)",
                };
                format!("`{}`{severity}", cause.code())
            })
            .collect();
        table += &format!("| `{name}` | {about} | {} |\n", causes.join(", "));
    }
    table
}
