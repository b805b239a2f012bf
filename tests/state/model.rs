//! A session against a model of it: random commands over gRPC, each answer and the whole state compared after each.
//! The model is a few maps and knows no code of the product.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use snakepit::error::Kind;
use snakepit::proto::admin;

use crate::caller::{Caller, Served, kind, text};

const NAMES: [&str; 5] = ["a", "ab", "b", "b.c", "long_name"];
const KEPT: [&str; 2] = ["one", "two"];

#[derive(Debug, Clone)]
enum Step {
    Register(usize, i64, Option<i64>),
    /// A value, and how far the expected version is from the current one.
    Set(usize, i64, Option<i64>),
    SetAll(Vec<(usize, i64, Option<i64>)>, bool),
    Delete(usize),
    Constrain(usize, i64),
    Remark(usize),
    Keep(usize),
    Restore(usize),
    Fork,
}

#[derive(Debug, Clone, PartialEq)]
struct Var {
    value: i64,
    version: u64,
    max: Option<i64>,
    id: String,
}

#[derive(Debug, Default, Clone)]
struct Model {
    vars: BTreeMap<String, Var>,
    kept: BTreeMap<String, BTreeMap<String, Var>>,
    /// The highest version that any variable ever had.
    top: u64,
    revision: u64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = 0..NAMES.len();
    let value = -20i64..20;
    let off = prop_oneof![3 => Just(None), 3 => Just(Some(0i64)), 1 => Just(Some(-1)), 1 => Just(Some(1))];
    let one = (name.clone(), value.clone(), off.clone());
    let step = prop_oneof![
        4 => (name.clone(), value.clone(), proptest::option::of(0i64..20)).prop_map(|(n, v, m)| Step::Register(n, v, m)),
        8 => one.clone().prop_map(|(n, v, o)| Step::Set(n, v, o)),
        4 => (proptest::collection::vec(one, 0..5), any::<bool>()).prop_map(|(all, atomic)| Step::SetAll(all, atomic)),
        2 => name.clone().prop_map(Step::Delete),
        2 => (name.clone(), value).prop_map(|(n, m)| Step::Constrain(n, m)),
        1 => name.prop_map(Step::Remark),
        1 => (0..KEPT.len()).prop_map(Step::Keep),
        1 => (0..KEPT.len()).prop_map(Step::Restore),
        1 => Just(Step::Fork),
    ];
    proptest::collection::vec(step, 1..60)
}

impl Model {
    fn put(&mut self, name: &str, change: impl FnOnce(&mut Var)) -> u64 {
        let var = self.vars.get_mut(name).expect("it was checked");
        change(var);
        var.version += 1;
        self.top = self.top.max(var.version);
        var.version
    }

    /// Why a write has to be refused.
    fn refusal(&self, name: &str, value: i64, expected: Option<u64>) -> Option<Kind> {
        let Some(var) = self.vars.get(name) else {
            return Some(Kind::VariableNotFound);
        };
        if expected.is_some_and(|expected| expected != var.version) {
            return Some(Kind::VersionMismatch);
        }
        var.max
            .is_some_and(|max| value > max)
            .then_some(Kind::ConstraintViolated)
    }

    /// The version to expect, so far from the current one; never below 0.
    fn expected(&self, name: &str, off: Option<i64>) -> Option<u64> {
        let current = self.vars.get(name).map_or(0, |var| var.version);
        off.map(|off| current.saturating_add_signed(off))
    }
}

#[test]
fn a_session_does_what_its_model_does() {
    let seed = std::env::var("SNAKEPIT_TEST_SEED")
        .ok()
        .and_then(|seed| seed.parse::<u64>().ok())
        .unwrap_or_else(|| getrandom::u64().expect("a seed"));
    println!("SNAKEPIT_TEST_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        cases: 60,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let served = Served::new();
    let caller = runtime.block_on(served.caller("model"));
    let number = std::cell::Cell::new(0);
    let ran = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| {
        number.set(number.get() + 1);
        let session = format!("model{}", number.get());
        runtime.block_on(async {
            caller.open(&session, |_| {}).await.expect("a session");
            let caller = caller.at(&session);
            let mut model = Model {
                revision: 1,
                ..Model::default()
            };
            for (at, step) in steps.iter().enumerate() {
                take(&caller, &mut model, step, at).await;
                compare(&caller, &model).await;
            }
        });
        Ok(())
    });
    if let Err(failure) = ran {
        panic!("seed {seed}: {failure}");
    }
}

async fn take(caller: &Caller, model: &mut Model, step: &Step, at: usize) {
    let number = |value: i64| any_integer(value);
    match step {
        Step::Register(name, value, max) => {
            let name = NAMES[*name];
            let made = caller
                .register(name, number(*value), |request| {
                    request.constraints_json = max.map_or(String::new(), |max| format!(r#"{{"max":{max}}}"#));
                })
                .await;
            if model.vars.contains_key(name) {
                assert_eq!(kind(made), Kind::VariableExists);
            } else if max.is_some_and(|max| *value > max) {
                assert_eq!(kind(made), Kind::ConstraintViolated);
            } else {
                let made = made.expect("registered");
                model.revision += 1;
                assert_eq!(
                    (made.revision, made.version64, made.existed),
                    (model.revision, 0, false)
                );
                let var = Var {
                    value: *value,
                    version: 0,
                    max: *max,
                    id: made.variable_id,
                };
                model.vars.insert(name.to_owned(), var);
            }
        }
        Step::Set(name, value, off) => {
            let name = NAMES[*name];
            let expected = model.expected(name, *off);
            let made = caller
                .set(name, number(*value), |request| {
                    request.expected_version64 = expected
                })
                .await;
            match model.refusal(name, *value, expected) {
                Some(why) => assert_eq!(kind(made), why),
                None => {
                    let made = made.expect("written");
                    let version = model.put(name, |var| var.value = *value);
                    model.revision += 1;
                    assert_eq!((made.version64, made.revision), (version, model.revision));
                }
            }
        }
        Step::SetAll(all, atomic) => set_all(caller, model, all, *atomic).await,
        Step::Delete(name) => {
            let made = caller.delete(NAMES[*name]).await;
            match model.vars.remove(NAMES[*name]) {
                None => assert_eq!(kind(made), Kind::VariableNotFound),
                Some(var) => {
                    model.revision += 1;
                    model.top = model.top.max(var.version + 1);
                    assert_eq!(made.expect("deleted").revision, model.revision);
                }
            }
        }
        Step::Constrain(name, max) => {
            let name = NAMES[*name];
            let request = admin::SetConstraintsRequest {
                session_id: caller.session.clone(),
                variable_identifier: name.to_owned(),
                constraints_json: format!(r#"{{"max":{max}}}"#),
                ..Default::default()
            };
            let made = caller.admin.clone().set_constraints(request).await;
            match model.vars.get(name) {
                None => assert_eq!(kind(made), Kind::VariableNotFound),
                Some(var) if var.value > *max => assert_eq!(kind(made), Kind::ConstraintViolated),
                Some(_) => {
                    let version = model.put(name, |var| var.max = Some(*max));
                    model.revision += 1;
                    let made = made.expect("changed").into_inner();
                    assert_eq!((made.version64, made.revision), (version, model.revision));
                }
            }
        }
        Step::Remark(name) => {
            let name = NAMES[*name];
            let request = admin::SetMetadataRequest {
                session_id: caller.session.clone(),
                variable_identifier: name.to_owned(),
                metadata: [("note".to_owned(), at.to_string())].into(),
                ..Default::default()
            };
            let made = caller.admin.clone().set_metadata(request).await;
            if model.vars.contains_key(name) {
                let version = model.put(name, |_| {});
                model.revision += 1;
                assert_eq!(made.expect("changed").into_inner().version64, version);
                let there = caller.get(name).await.expect("there");
                assert_eq!(there.metadata["note"], at.to_string());
            } else {
                assert_eq!(kind(made), Kind::VariableNotFound);
            }
        }
        Step::Keep(name) => {
            let request = admin::CreateCheckpointRequest {
                session_id: caller.session.clone(),
                name: KEPT[*name].to_owned(),
            };
            let made = caller.admin.clone().create_checkpoint(request).await;
            if model.kept.contains_key(KEPT[*name]) {
                assert_eq!(kind(made), Kind::CheckpointExists);
            } else {
                made.expect("kept");
                model.revision += 1;
                model.kept.insert(KEPT[*name].to_owned(), model.vars.clone());
            }
        }
        Step::Restore(name) => restore(caller, model, KEPT[*name]).await,
        Step::Fork => fork(caller, model, at).await,
    }
}

fn any_integer(value: i64) -> snakepit::proto::Any {
    any_of("integer", &value.to_string())
}

fn any_of(ty: &str, text: &str) -> snakepit::proto::Any {
    crate::caller::any(ty, text)
}

async fn set_all(caller: &Caller, model: &mut Model, all: &[(usize, i64, Option<i64>)], atomic: bool) {
    let wanted: BTreeMap<&str, (i64, Option<u64>)> = all
        .iter()
        .map(|(name, value, off)| (NAMES[*name], (*value, model.expected(NAMES[*name], *off))))
        .collect();
    let values = wanted
        .iter()
        .map(|(name, (value, _))| ((*name).to_owned(), any_integer(*value)));
    let expected = wanted
        .iter()
        .filter_map(|(name, (_, expected))| Some(((*name).to_owned(), (*expected)?)));
    let made = caller.set_all(atomic, values, expected).await.expect("answered");
    let refused: BTreeMap<&str, Kind> = wanted
        .iter()
        .filter_map(|(name, (value, expected))| Some((*name, model.refusal(name, *value, *expected)?)))
        .collect();
    let told: BTreeMap<&str, Kind> = made
        .error_codes
        .iter()
        .map(|(name, code)| (name.as_str(), Kind::from_code(code).expect("a code")))
        .collect();
    assert_eq!(told, refused, "every reason, and no other");
    assert_eq!(made.success, !atomic || refused.is_empty());
    if atomic && !refused.is_empty() {
        return;
    }
    let mut written = 0;
    for (name, (value, _)) in &wanted {
        if refused.contains_key(name) {
            continue;
        }
        let version = model.put(name, |var| var.value = *value);
        assert_eq!(made.new_versions64[*name], version);
        written += 1;
    }
    assert_eq!(made.new_versions64.len(), written);
    model.revision += if atomic {
        u64::from(written > 0)
    } else {
        written as u64
    };
}

async fn restore(caller: &Caller, model: &mut Model, name: &str) {
    let request = admin::RestoreCheckpointRequest {
        session_id: caller.session.clone(),
        name: name.to_owned(),
    };
    let made = caller.admin.clone().restore_checkpoint(request).await;
    let Some(kept) = model.kept.get(name).cloned() else {
        assert_eq!(kind(made), Kind::CheckpointNotFound);
        return;
    };
    model.revision += 1;
    assert_eq!(made.expect("restored").into_inner().revision, model.revision);
    let before = std::mem::take(&mut model.vars);
    let top = model.top;
    for (name, mut var) in kept {
        // A version is never given twice, whatever happened in between.
        var.version = match before.get(&name).filter(|current| current.id == var.id) {
            Some(current) => current.version + 1,
            None => top.max(var.version) + 1,
        };
        model.top = model.top.max(var.version);
        model.vars.insert(name, var);
    }
}

async fn fork(caller: &Caller, model: &Model, at: usize) {
    let request = admin::ForkSessionRequest {
        session_id: caller.session.clone(),
        new_session_id: format!("{}_fork{at}", caller.session),
        ..Default::default()
    };
    let to = request.new_session_id.clone();
    let made = caller
        .admin
        .clone()
        .fork_session(request)
        .await
        .expect("forked")
        .into_inner();
    assert_eq!((made.revision, made.forked_revision), (1, model.revision));
    let forked = caller.at(&to);
    let variables = forked.list("").await;
    let seen: Vec<_> = variables
        .iter()
        .map(|var| (var.name.as_str(), text(var), var.version64))
        .collect();
    let wanted: Vec<_> = model
        .vars
        .iter()
        .map(|(name, var)| (name.as_str(), var.value.to_string(), var.version))
        .collect();
    assert_eq!(seen, wanted);
    for var in &variables {
        assert_ne!(
            var.id, model.vars[&var.name].id,
            "ids are unique for ever in the store"
        );
        forked.delete(&var.id).await.expect("the fork's own");
    }
}

async fn compare(caller: &Caller, model: &Model) {
    for pattern in ["", "a*", "*.c", "?"] {
        let seen: Vec<_> = caller
            .list(pattern)
            .await
            .iter()
            .map(|var| {
                let constraints: serde_json::Value =
                    serde_json::from_str(&var.constraints_json).expect("JSON");
                let value = text(var).parse().expect("an integer");
                let seen = Var {
                    value,
                    version: var.version64,
                    max: constraints["max"].as_i64(),
                    id: var.id.clone(),
                };
                (var.name.clone(), seen)
            })
            .collect();
        let fits = |name: &str| match pattern {
            "a*" => name.starts_with('a'),
            "*.c" => name.ends_with(".c"),
            "?" => name.len() == 1,
            _ => true,
        };
        let wanted: Vec<_> = model
            .vars
            .iter()
            .filter(|(name, _)| fits(name))
            .map(|(name, var)| (name.clone(), var.clone()))
            .collect();
        assert_eq!(seen, wanted, "pattern `{pattern}`");
    }
}
