//! `conf/pictor.toml` names every key with its default; `conf/http.toml` and `conf/s3.toml` those of their origins.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Config;

const WHOLE: &str = include_str!("../../conf/pictor.toml");
const HTTP: &str = include_str!("../../conf/http.toml");
const S3: &str = include_str!("../../conf/s3.toml");

/// What `conf/pictor.toml` sets for the demo; a comment beside each says what holds without it.
const DEMO: [&str; 5] = ["name", "hosts", "formats", "separators", "rules"];

/// Tables whose keys are the user's own names.
const FREE: [&str; 2] = ["engine.fonts.names", "site.styles.rules"];

/// The file with the keys and tables that are shown as comments.
fn uncommented(text: &str) -> Table {
    let shown = |line: &str| {
        let Some(rest) = line.strip_prefix("# ") else { return line.to_owned() };
        let word = rest.split([' ', '=']).next().unwrap_or_default();
        let key = !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.'))
            && rest[word.len()..].trim_start().starts_with('=');
        if key || rest.starts_with('[') { rest.to_owned() } else { line.to_owned() }
    };
    let text: Vec<String> = text.lines().map(shown).collect();
    text.join("\n").parse().unwrap()
}

/// The table at a path; of several sites the first.
fn at<'a>(table: &'a mut Table, path: &[String]) -> &'a mut Table {
    path.iter().fold(table, |table, name| match table.get_mut(name).unwrap() {
        Value::Table(inner) => inner,
        Value::Array(several) => several[0].as_table_mut().unwrap(),
        other => panic!("{name} is {other}"),
    })
}

/// Every table below one, by its path.
fn tables(table: &Table, path: &[String], found: &mut Vec<Vec<String>>) {
    found.push(path.to_vec());
    for (name, value) in table {
        let inner = match value {
            Value::Table(inner) => inner,
            Value::Array(several) if several.first().is_some_and(Value::is_table) => several[0].as_table().unwrap(),
            _ => continue,
        };
        tables(inner, &[path, std::slice::from_ref(name)].concat(), found);
    }
}

/// The keys that a table of the configuration may have, as the parser names them when it finds another; `None`: any.
fn keys(whole: &Table, path: &[String]) -> Option<BTreeSet<String>> {
    let mut with = whole.clone();
    at(&mut with, path).insert("no-such-key".into(), "".into());
    let error = with.try_into::<Config>().err()?;
    let message = error.message().to_owned();
    let (_, expected) = message.split_once("unknown field `no-such-key`, expected ").unwrap();
    Some(expected.split('`').skip(1).step_by(2).map(str::to_owned).collect())
}

/// That the tables at and below a path have every key. Gives how many keys there are.
fn complete(text: &str, from: &[&str]) -> usize {
    let mut whole = uncommented(text);
    whole.clone().try_into::<Config>().unwrap();
    let from: Vec<String> = from.iter().map(|name| (*name).to_owned()).collect();
    let mut found = Vec::new();
    tables(&at(&mut whole, &from).clone(), &from, &mut found);
    let mut count = 0;
    for path in found {
        let Some(known) = keys(&whole, &path) else {
            assert!(FREE.contains(&path.join(".").as_str()), "{path:?} takes any key");
            continue;
        };
        let kind = if path.last().is_some_and(|name| name == "origin") { "kind" } else { "" };
        let named: BTreeSet<_> = at(&mut whole, &path).keys().filter(|key| *key != kind).cloned().collect();
        assert_eq!(named, known, "in {path:?}");
        count += known.len();
    }
    count
}

#[test]
fn every_key_is_in_the_files_that_say_so() {
    assert!(complete(WHOLE, &[]) > 70);
    assert!(complete(HTTP, &["site", "origin"]) > 3);
    assert!(complete(S3, &["site", "origin"]) > 10);
}

#[test]
fn what_the_file_sets_is_what_holds_without_it() {
    let whole: Table = WHOLE.parse().unwrap();
    let told = |table: &Table| format!("{:?}", table.clone().try_into::<Config>().unwrap());
    let (mut found, mut tried) = (Vec::new(), 0);
    tables(&whole, &[], &mut found);
    for path in found {
        let names: Vec<String> = at(&mut whole.clone(), &path).keys().cloned().collect();
        for name in names {
            let demo = DEMO.contains(&name.as_str()) || path.iter().any(|part| part == "origin" || part == "rules");
            let mut without = whole.clone();
            let value = at(&mut without, &path).remove(&name).unwrap();
            if demo || value.is_table() || name == "site" {
                continue;
            }
            tried += 1;
            assert_eq!(told(&without), told(&whole), "{path:?} {name}");
        }
    }
    assert!(tried > 50, "{tried}");
}
