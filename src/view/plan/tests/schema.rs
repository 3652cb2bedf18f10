//! The JSON Schema of a plan, generated from [`PlanDocument`].

use schemars::generate::SchemaSettings;
use serde_json::Value;

use crate::spec::tidy;
use crate::testkit::assert_generated;
use crate::view::plan::PlanDocument;

/// Returns the JSON Schema (2020-12) of a plan.
pub(super) fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<PlanDocument>().to_value();
    tidy(&mut schema);
    in_terms_of_json(&mut schema);
    schema
}

/// Describes values as JSON has them: a member that is left out is never `null`, and no text names a type of Rust.
fn in_terms_of_json(part: &mut Value) {
    let required: Vec<String> = part["required"].as_array().into_iter().flatten().filter_map(name).collect();
    for (name, own) in part.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        let is_required = required.contains(name);
        if !is_required {
            without_null(own);
        }
        if let Some(Value::String(text)) = own.get_mut("description") {
            *text = text.replace("`None`", if is_required { "null" } else { "absent" });
        }
    }
    match part {
        Value::Object(members) => {
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.replace("[`", "`").replace("`]", "`");
            }
            members.values_mut().for_each(in_terms_of_json);
        }
        Value::Array(items) => items.iter_mut().for_each(in_terms_of_json),
        _ => {}
    }
}

fn name(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn without_null(own: &mut Value) {
    if let Some(Value::Array(types)) = own.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            own["type"] = only.clone();
        }
    }
    if let Some(Value::Array(branches)) = own.get_mut("anyOf") {
        branches.retain(|branch| branch["type"] != "null");
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            let own = own.as_object_mut().unwrap();
            own.remove("anyOf");
            own.extend(only);
        }
    }
    if own["default"].is_null() {
        own.as_object_mut().unwrap().remove("default");
    }
}

#[test]
fn the_schema_of_a_plan_is_up_to_date() {
    assert_generated("schemas/plan.schema.json", &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"));
}
