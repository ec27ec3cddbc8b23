//! What is promised of lines of JSON, for the tests that have some.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../docs/schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("it is a schema")
});

/// Refuses a line that is not as the schema has it.
pub(crate) fn check(line: &Value) {
    if let Err(error) = SCHEMA.validate(line) {
        panic!("{error} in {line}");
    }
}
