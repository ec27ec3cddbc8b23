//! The grammar of a member path: `type.member.member[3].member`.

use super::MemberError;

/// One step from a structure to a member, then into its arrays.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<'p> {
    pub(super) member: &'p str,
    pub(super) indices: Vec<u32>,
}

/// The type's name and the steps that follow it.
pub(super) fn split(path: &str) -> Result<(&str, Vec<Step<'_>>), MemberError> {
    let bad = |problem| MemberError::BadPath {
        path: path.to_owned(),
        problem,
    };
    let mut components = path.split('.');
    let type_name = components.next().unwrap_or_default();
    if type_name.is_empty() {
        return Err(bad("it does not begin with the name of a type"));
    }
    if type_name.contains(['[', ']']) {
        return Err(bad("a type has no index"));
    }
    let steps = components
        .map(|component| step(component).map_err(bad))
        .collect::<Result<_, _>>()?;
    Ok((type_name, steps))
}

fn step(component: &str) -> Result<Step<'_>, &'static str> {
    let (member, mut rest) = match component.find('[') {
        Some(at) => component.split_at(at),
        None => (component, ""),
    };
    if member.is_empty() {
        return Err("a member's name is missing");
    }
    if member.contains(']') {
        return Err("a bracket is missing");
    }
    let mut indices = Vec::new();
    while !rest.is_empty() {
        let (index, behind) = rest
            .strip_prefix('[')
            .and_then(|r| r.split_once(']'))
            .ok_or("a bracket is missing")?;
        if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("an index is not a number");
        }
        indices.push(index.parse().map_err(|_| "an index is too large")?);
        rest = behind;
    }
    Ok(Step { member, indices })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_members_and_indices() {
        let (name, steps) = split("foo.arr[3][0].x").unwrap();
        assert_eq!(name, "foo");
        assert_eq!(
            steps,
            [
                Step {
                    member: "arr",
                    indices: vec![3, 0]
                },
                Step {
                    member: "x",
                    indices: vec![]
                }
            ]
        );
        assert_eq!(split("foo").unwrap(), ("foo", vec![]));
    }

    #[test]
    fn refuses_what_is_no_path() {
        for path in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a[1].b",
            "a.b[",
            "a.b]",
            "a.b[]",
            "a.b[1",
            "a.b[-1]",
            "a.b[1]c",
            "a.b[4294967296]",
            "a.[1]",
        ] {
            assert!(
                matches!(split(path), Err(MemberError::BadPath { .. })),
                "{path}"
            );
        }
    }
}
