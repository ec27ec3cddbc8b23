//! `docs/record-layouts.md`, from which other programs are written, is made
//! from the families' declarations. `SNAPSHOTS=overwrite cargo test --package
//! v6trace-common` writes it anew.

use std::{env, fmt::Write as _, fs, path::Path};

use v6trace_common::{
    FAMILIES, HOOKS, Kind,
    kind::{Constants, Field, Layout},
};

const HEAD: &str = "\
# The layouts of kernel records

What follows the 56 bytes of the header of a kernel record in a [recording](session-format.md), by the
record's kind. Offsets count from there. All numbers are little-endian and there is no padding.

`text` is padded with NUL. `IPv4` and `IPv6` are addresses in the order in which they are written, all
zero for none. Where a flag speaks of a value, or is named beside it, the value counts only if the flag
is set; other values are zero where they could not be read.
";

#[test]
fn the_document_says_what_the_types_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/record-layouts.md");
    let document = document();
    if env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, document).expect("the document can be written");
        return;
    }
    let written = fs::read_to_string(&path).expect("the document can be read");
    assert!(
        written == document,
        "docs/record-layouts.md is not what the families declare; \
         `SNAPSHOTS=overwrite cargo test --package v6trace-common` writes it anew"
    );
}

#[test]
fn kinds_and_names_are_unique() {
    let mut kinds: Vec<u16> = FAMILIES
        .iter()
        .flat_map(|family| family.payloads)
        .map(|payload| payload.kind.map_or(0, |Kind(kind)| kind))
        .collect();
    kinds.sort_unstable();
    let expected: Vec<u16> = (1..).take(kinds.len()).collect();
    assert_eq!(kinds, expected, "kinds leave a gap or are there twice");
    let mut names: Vec<&str> = HOOKS.iter().map(|info| info.name).collect();
    names.extend(FAMILIES.iter().map(|family| family.name));
    let hooks = HOOKS.len();
    for names in [&mut names[..hooks].to_vec(), &mut names[hooks..].to_vec()] {
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name is there twice");
    }
}

fn document() -> String {
    let mut text = HEAD.to_owned();
    text += "\n## Hooks\n\nThe header's `hook`. A later one is of a newer v6trace.\n\n";
    text += "| number | hook | family | |\n|---|---|---|---|\n";
    for info in HOOKS {
        let family = v6trace_common::Family::of(info.hook);
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} |",
            info.hook.0, info.name, family.name, info.about
        );
    }
    let mut payloads: Vec<_> = FAMILIES
        .iter()
        .flat_map(|family| family.payloads.iter().map(move |payload| (family, payload)))
        .collect();
    payloads.sort_by_key(|(_, payload)| payload.kind.map(|Kind(kind)| kind));
    let mut told = Vec::new();
    for (family, payload) in payloads {
        let Kind(kind) = payload.kind.expect("a payload has a kind");
        let _ = write!(text, "\n## Kind {kind}: {}\n\n", words(payload.name));
        table(&mut text, payload);
        for constants in family.constants {
            if has(payload, constants) {
                values(&mut text, constants);
            }
        }
        for part in family.parts {
            if uses(payload, part) && !told.contains(&part.name) {
                told.push(part.name);
                let _ = write!(text, "\n{}:\n\n", capital(&words(part.name)));
                table(&mut text, part);
            }
        }
    }
    text
}

fn table(text: &mut String, layout: &Layout) {
    // The first sentence says which event it is; what follows is about values.
    let about = plain(layout.about);
    let _ = write!(text, "{about}.\n\n");
    *text += "| offset | size | type | field | |\n|---|---|---|---|---|\n";
    for field in layout.fields {
        let _ = writeln!(
            text,
            "| {} | {} | {} | `{}` | {} |",
            field.offset,
            field.size,
            kind_of(field),
            field.name,
            plain(field.about)
        );
    }
}

fn values(text: &mut String, constants: &Constants) {
    let _ = write!(text, "\n`{}`:\n\n", constants.of);
    *text += "| value | name | |\n|---|---|---|\n";
    // Flags are bits; anything else counts from 0 or 1 on.
    let bits = constants
        .values
        .iter()
        .all(|one| one.value.is_power_of_two());
    let bits =
        bits && constants.values.len() > 2 || constants.of == "read" || constants.of == "flags";
    for one in constants.values {
        let value = if bits {
            format!("{:#x}", one.value)
        } else {
            one.value.to_string()
        };
        let _ = writeln!(text, "| {value} | `{}` | {} |", one.name, plain(one.about));
    }
}

/// Whether the values are those of a field of this payload. Two payloads of a
/// family may have fields of one name; the one that says which flags count is
/// the one that has a field they speak of.
fn has(payload: &Layout, constants: &Constants) -> bool {
    payload
        .fields
        .iter()
        .any(|field| field.name == constants.of)
}

fn uses(payload: &Layout, part: &Layout) -> bool {
    let mut fields = payload.fields.iter();
    fields.any(|field| field.r#type.contains(part.name))
}

/// What a reader in another language calls the type.
fn kind_of(field: &Field) -> String {
    match field.r#type {
        "[u8; INTERFACE_NAME_LEN]" | "[u8; COMM_LEN]" | "[u8; FUNCTION_LEN]" => "text".to_owned(),
        "[u8; 16]" => "IPv6".to_owned(),
        "[u8; 4]" => "IPv4".to_owned(),
        bytes if bytes.starts_with("[u8;") => "bytes".to_owned(),
        array if array.starts_with('[') => {
            let (element, _) = array[1..].split_once(';').unwrap_or((array, ""));
            format!("several {}", words(element))
        }
        number if number.starts_with(['u', 'i']) => number.to_owned(),
        part => words(part),
    }
}

/// `DadFailure` as "dad failure".
fn words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// A documentation comment as one line of Markdown, without links into the code
/// and without the last full stop.
fn plain(about: &str) -> String {
    let mut line = about.split_whitespace().collect::<Vec<_>>().join(" ");
    // [`NAME`](path) and [`NAME`]
    while let Some(open) = line.find("[`") {
        let Some(close) = line[open..].find("`]").map(|at| open + at) else {
            break;
        };
        let name = line[open + 1..=close].to_owned();
        let mut end = close + 2;
        if line[end..].starts_with('(')
            && let Some(paren) = line[end..].find(')')
        {
            end += paren + 1;
        }
        line.replace_range(open..end, &name);
    }
    line.trim_end_matches('.').replace(", NUL-padded", "")
}
