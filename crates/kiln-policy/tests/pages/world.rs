//! What a case changes. Its keys are those of [`Evidence`], without the `known` between; a text in place of a fact is why it is not
//! known; `(none)` takes away what may be missing. `policy` is `[policy]` of kiln.toml.

use kiln_policy::{Evidence, Overrides, PolicySettings};
use serde_json::{Map, Value};

pub(crate) struct World {
    pub(crate) evidence: Evidence,
    pub(crate) settings: PolicySettings,
}

impl World {
    /// The fake world with the change in it; or why that is no change of it.
    pub(crate) fn read(change: &str) -> Result<Self, String> {
        let mut change: Map<String, Value> = toml::from_str(change).map_err(|error| error.to_string())?;
        let policy = change.remove("policy").unwrap_or_else(|| Value::Object(Map::new()));
        let overrides: Overrides = serde_json::from_value(policy).map_err(|error| error.to_string())?;
        let settings = PolicySettings::new(&overrides, Vec::new()).map_err(|error| error.to_string())?;
        let mut world = serde_json::to_value(Evidence::fake()).unwrap();
        for (name, value) in change {
            let fact = world.get_mut(&name).ok_or(format!("there is no fact `{name}`"))?;
            apply(fact, value);
        }
        let evidence: Evidence = serde_json::from_value(world.clone()).map_err(|error| error.to_string())?;
        let back = serde_json::to_value(&evidence).unwrap();
        lost(&world, &back, "").map_or(Ok(Self { evidence, settings }), Err)
    }
}

fn apply(fact: &mut Value, change: Value) {
    if fact.get("known").is_none() {
        *fact = change;
    } else if change.is_string() {
        *fact = serde_json::json!({ "unknown": change });
    } else {
        merge(&mut fact["known"], change);
    }
}

/// RFC 7396 (JSON Merge Patch), with `(none)` for null, which TOML has not.
fn merge(value: &mut Value, change: Value) {
    match (value, change) {
        (Value::Object(value), Value::Object(changes)) => {
            for (name, change) in changes {
                if change == "(none)" {
                    value.remove(&name);
                } else {
                    merge(value.entry(name).or_insert(Value::Null), change);
                }
            }
        }
        (value, change) => *value = change,
    }
}

/// What stands in `written` and was not taken for anything.
fn lost(written: &Value, taken: &Value, at: &str) -> Option<String> {
    match (written, taken) {
        (written, _) if is_default(written) => None,
        (Value::Object(written), Value::Object(_)) => {
            written.iter().find_map(|(name, value)| lost(value, &taken[name], &format!("{at}.{name}")))
        }
        (Value::Array(written), Value::Array(_)) => {
            written.iter().enumerate().find_map(|(index, value)| lost(value, &taken[index], at))
        }
        (_, Value::Null) => Some(format!("the evidence has no `{at}`")),
        _ => None,
    }
}

/// What evidence leaves out when it is written.
fn is_default(value: &Value) -> bool {
    let empty =
        [Value::Null, Value::Bool(false), Value::from(""), Value::Array(vec![]), Value::Object(Map::new())];
    empty.contains(value)
}
