//! The rules, one by one, without a server.

use std::sync::Arc;

use bytes::Bytes;

use super::*;
use crate::{
    error::{Error, Kind},
    value::Type,
};

/// A session that applies what it decides, as the bridge does.
struct World {
    state: State,
    numbers: u64,
}

impl World {
    fn new() -> Self {
        let mut state = State::new(SessionId::new("demo").expect("a valid id"), Epoch(1));
        let settings = Settings {
            ttl: Ttl::Never,
            history_limit: 50,
        };
        state.apply(&Commit {
            epoch: Epoch(1),
            revision: Revision(1),
            at: WallTime(0),
            events: vec![Event::Created {
                settings,
                metadata: Metadata::new(),
            }],
        });
        Self { state, numbers: 0 }
    }

    fn run(&mut self, command: &Command) -> Result<Vec<Written>, Vec<(String, Error)>> {
        let actor = Actor {
            principal: Principal::new("tester"),
            now: WallTime(5),
        };
        let decision = decide(&self.state, command, &actor)?;
        if !decision.events.is_empty() {
            let commit = Commit {
                epoch: Epoch(1),
                revision: self.state.revision.next(),
                at: actor.now,
                events: decision.events,
            };
            self.state.apply(&commit);
        }
        Ok(decision.written)
    }

    fn declare(
        &mut self,
        name: &str,
        json: &str,
        with: impl FnOnce(&mut Declare),
    ) -> Result<Arc<Variable>, Error> {
        self.numbers += 1;
        let mut declare = Declare {
            name: name.to_owned(),
            number: self.numbers,
            ty: None,
            inferred: false,
            value: raw(json),
            constraints: String::new(),
            metadata: Metadata::new(),
            if_exists: IfExists::Fail,
        };
        with(&mut declare);
        self.run(&Command::Declare(declare)).map(first).map_err(alone)
    }

    fn set(&mut self, target: &str, json: &str, expected: Option<u64>) -> Result<Arc<Variable>, Error> {
        self.run(&Command::Set(set(target, json, expected)))
            .map(first)
            .map_err(alone)
    }

    fn value(&self, name: &str) -> String {
        let json = self.state.get(name).expect("the variable is there").value.json();
        String::from_utf8(json.to_vec()).expect("JSON is UTF-8")
    }
}

fn raw(json: &str) -> RawValue {
    RawValue::json(Bytes::copy_from_slice(json.as_bytes()))
}

fn set(target: &str, json: &str, expected: Option<u64>) -> Set {
    Set {
        target: target.to_owned(),
        value: raw(json),
        expected: expected.map(Version),
        metadata: Metadata::new(),
    }
}

fn first(written: Vec<Written>) -> Arc<Variable> {
    written
        .into_iter()
        .next()
        .expect("one variable was written")
        .variable
}

fn alone(mut refusals: Vec<(String, Error)>) -> Error {
    refusals.pop().expect("a refusal has a reason").1
}

#[test]
fn a_variable_starts_at_version_0_and_counts_its_writes() {
    let mut world = World::new();
    let lr = world.declare("lr", "0.1", |_| {}).expect("registered");
    assert_eq!(
        (lr.version, lr.revision, lr.ty),
        (Version(0), Revision(2), Type::Float)
    );
    assert_eq!(world.set("lr", "0.2", None).expect("written").version, Version(1));
    assert_eq!(
        world
            .set(lr.id.as_str(), "0.2", None)
            .expect("an equal value counts too")
            .version,
        Version(2)
    );
    assert_eq!(world.state.revision, Revision(4));
}

#[test]
fn compare_and_set_refuses_every_other_version() {
    let mut world = World::new();
    world.declare("x", "1", |_| {}).expect("registered");
    world.set("x", "2", Some(0)).expect("the expected version");
    let error = world.set("x", "3", Some(0)).expect_err("the version has moved");
    assert_eq!(error.kind(), Kind::VersionMismatch);
    assert!(
        error
            .message()
            .contains("version_mismatch: expected 0, current 1"),
        "{error}"
    );
    assert_eq!(world.value("x"), "2");
}

#[test]
fn an_atomic_batch_is_whole_or_nothing_and_one_revision() {
    let mut world = World::new();
    world.declare("a", "1", |_| {}).expect("registered");
    world
        .declare("b", "1", |declare| {
            declare.constraints = r#"{"max":5}"#.to_owned()
        })
        .expect("registered");
    let before = world.state.revision;
    let refusals = world
        .run(&Command::SetAll(vec![
            set("a", "2", None),
            set("b", "9", None),
            set("c", "1", None),
        ]))
        .expect_err("b and c are wrong");
    assert_eq!(
        refusals.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert_eq!((world.value("a").as_str(), world.state.revision), ("1", before));
    world
        .run(&Command::SetAll(vec![set("a", "2", None), set("b", "3", None)]))
        .expect("both are right");
    assert_eq!(world.state.revision, before.next());
}

#[test]
fn a_batch_that_names_a_variable_twice_is_refused() {
    let mut world = World::new();
    let a = world.declare("a", "1", |_| {}).expect("registered");
    let twice = Command::SetAll(vec![set("a", "2", None), set(a.id.as_str(), "3", None)]);
    assert_eq!(
        alone(world.run(&twice).expect_err("twice")).kind(),
        Kind::BadRequest
    );
}

#[test]
fn an_inferred_integer_widens_and_a_declared_one_does_not() {
    let mut world = World::new();
    world.declare("inferred", "1", |_| {}).expect("registered");
    world
        .declare("declared", "1", |declare| declare.ty = Some(Type::Integer))
        .expect("registered");
    assert_eq!(
        world.set("inferred", "0.5", None).expect("widens").ty,
        Type::Float
    );
    assert_eq!(
        world.set("declared", "0.5", None).expect_err("stays").kind(),
        Kind::WrongType
    );
}

#[test]
fn declaring_again_keeps_updates_or_resets_as_asked() {
    let mut world = World::new();
    let limits = |declare: &mut Declare| declare.constraints = r#"{"max":1.0}"#.to_owned();
    world.declare("lr", "0.1", limits).expect("registered");
    world.set("lr", "0.5", None).expect("written");

    let kept = world.declare("lr", "0.1", |declare| {
        limits(declare);
        declare.if_exists = IfExists::Keep;
    });
    assert_eq!(kept.expect("agrees").version, Version(1));
    assert_eq!(world.value("lr"), "0.5");

    let other = world.declare("lr", "0.1", |declare| declare.if_exists = IfExists::Keep);
    assert_eq!(
        other.expect_err("other constraints").kind(),
        Kind::DeclarationDiffers
    );

    let too_narrow = world.declare("lr", "0.1", |declare| {
        declare.constraints = r#"{"max":0.2}"#.to_owned();
        declare.if_exists = IfExists::Update;
    });
    assert_eq!(
        too_narrow.expect_err("0.5 breaks it").kind(),
        Kind::ConstraintViolated
    );

    let reset = world.declare("lr", "0.1", |declare| {
        declare.constraints = r#"{"max":0.2}"#.to_owned();
        declare.if_exists = IfExists::Reset;
    });
    assert_eq!(reset.expect("the value goes too").version, Version(2));
    assert_eq!(world.value("lr"), "0.1");
}

#[test]
fn a_deleted_name_can_be_registered_again_under_a_new_id() {
    let mut world = World::new();
    let one = world.declare("x", "1", |_| {}).expect("registered");
    let delete = Command::Delete(Delete {
        target: "x".to_owned(),
        expected: None,
        metadata: Metadata::new(),
    });
    assert_eq!(first(world.run(&delete).expect("deleted")).version, Version(1));
    assert_eq!(
        world.state.get("x").expect_err("gone").kind(),
        Kind::VariableNotFound
    );
    let two = world.declare("x", "1", |_| {}).expect("registered again");
    assert_ne!(one.id, two.id);
    assert!(world.state.find(one.id.as_str()).is_none());
}

#[test]
fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
    let mut world = World::new();
    world.declare("learning_rate", "0.1", |_| {}).expect("registered");
    let error = world.set("lerning_rate", "1", None).expect_err("a typo");
    assert!(error.to_string().contains("not found"));
    assert_eq!(error.hints(), ["did you mean `learning_rate`?"]);
}

#[test]
fn names_keep_their_rules() {
    let long = "x".repeat(256);
    for wrong in ["", "a b", "a\tb", "a*", "a?", "var_x_7", long.as_str()] {
        assert_eq!(
            VariableName::new(wrong).expect_err(wrong).kind(),
            Kind::VariableName
        );
    }
    for right in ["x", "layers[0].lr", "é", "var_x", "var_x_y", &long[1..]] {
        VariableName::new(right).expect(right);
    }
    assert_eq!(
        SessionId::new("a\nb").expect_err("control").kind(),
        Kind::SessionName
    );
    SessionId::new("my session").expect("spaces are fine in a session's id");
}

#[test]
fn metadata_merges_and_the_source_is_the_last_writers() {
    let mut world = World::new();
    world
        .declare("x", "1", |declare| {
            declare.metadata = Metadata::from([
                ("source".to_owned(), "python".to_owned()),
                ("a".to_owned(), "1".to_owned()),
            ]);
        })
        .expect("registered");
    assert_eq!(world.state.get("x").expect("there").source, Source::Python);
    let mut write = set("x", "2", None);
    write.metadata.insert("b".to_owned(), "2".to_owned());
    let x = first(world.run(&Command::Set(write)).expect("written"));
    assert_eq!(x.source, Source::Host);
    assert_eq!(x.metadata.len(), 3);
    assert_eq!(*x.said, Metadata::from([("b".to_owned(), "2".to_owned())]));
}

#[test]
fn nothing_follows_the_end() {
    let mut world = World::new();
    world.run(&Command::Close("ended".to_owned())).expect("closed");
    assert_eq!(
        world.declare("x", "1", |_| {}).expect_err("over").kind(),
        Kind::SessionNotFound
    );
}

#[test]
fn one_variable_above_the_limit_is_refused() {
    let mut world = World::new();
    for number in 0..MAX_VARIABLES {
        world
            .declare(&format!("x{number}"), "1", |_| {})
            .expect("within the limit");
    }
    assert_eq!(
        world.declare("one_more", "1", |_| {}).expect_err("above").kind(),
        Kind::LimitExceeded
    );
}
