//! The walls of the house: imports point down the table of rooms in `ARCHITECTURE.md`, and no files import each other in a
//! circle. Both are read from the sources, of which tests are left out: they may look anywhere.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A source file that is not a test: where it lies, and its modules from the crate's root on.
struct Source {
    path: String,
    krate: &'static str,
    module: Vec<String>,
    /// The paths that it names, each from the crate's root on.
    names: BTreeSet<Vec<String>>,
}

/// Crates, and where their sources lie.
const CRATES: [(&str, &str); 3] =
    [("pictor", "src"), ("imaging", "crates/imaging/src"), ("language", "crates/language/src")];

fn house() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for (krate, folder) in CRATES {
        let mut files = Vec::new();
        walk(&root.join(folder), &mut files);
        for file in files {
            let within = file.strip_prefix(root.join(folder)).unwrap();
            let module = modules(within);
            let text = fs::read_to_string(&file).unwrap();
            let names = names(&without_tests(&text), &module);
            sources.push(Source { path: format!("{folder}/{}", within.display()), krate, module, names });
        }
    }
    assert!(sources.len() > 200, "only {} files were found", sources.len());
    sources
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let test = name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs") || name == "corpus.rs";
        match path.is_dir() {
            _ if test => {}
            true => walk(&path, files),
            false if name.ends_with(".rs") => files.push(path),
            false => {}
        }
    }
    files.sort();
}

/// `engine/supervisor/mod.rs` is `engine::supervisor`, `lib.rs` the root.
fn modules(path: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if module.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The text without its tests, comments and strings.
fn without_tests(text: &str) -> String {
    let mut out = String::new();
    let lines: Vec<&str> = text.lines().collect();
    let tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].ends_with("mod tests {");
    let end = lines.windows(2).position(tests).unwrap_or(lines.len());
    for line in &lines[..end] {
        let code = line.split("//").next().unwrap_or_default();
        // Every other piece between quotes is a string.
        out.extend(code.split('"').step_by(2));
        out.push('\n');
    }
    out
}

/// The paths that a text names, from the crate's root on; those of other crates begin with the crate's name.
fn names(text: &str, module: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("use ") {
        let statement = &rest[at + 4..];
        let end = statement.find(';').unwrap_or(statement.len());
        let starts_line = rest[..at].rsplit('\n').next().is_some_and(|before| {
            let before = before.trim();
            before.is_empty() || before.starts_with("pub")
        });
        if starts_line {
            let tree: String = statement[..end].chars().filter(|c| !c.is_whitespace()).collect();
            expand("", &tree, &mut found);
        }
        rest = &statement[end.min(statement.len())..];
    }
    // Paths in the code itself.
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    for path in text.split(|c| !word(c)).filter(|path| path.contains("::")) {
        found.insert(path.split("::").map(str::to_owned).collect());
    }
    found.into_iter().filter_map(|path| rooted(path, module)).collect()
}

/// `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str, found: &mut BTreeSet<Vec<String>>) {
    let mut depth = 0;
    let mut start = 0;
    let mut parts = Vec::new();
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        match part.split_once('{') {
            Some((before, inside)) => expand(&format!("{prefix}{before}"), inside.trim_end_matches('}'), found),
            None => {
                let whole = format!("{prefix}{part}");
                found.insert(whole.split("::").map(str::to_owned).collect());
            }
        }
    }
}

fn rooted(path: Vec<String>, module: &[String]) -> Option<Vec<String>> {
    let mut path = path.into_iter().peekable();
    let mut base = match path.peek()?.as_str() {
        "crate" => {
            path.next();
            Vec::new()
        }
        "self" => {
            path.next();
            module.to_vec()
        }
        "super" => module.to_vec(),
        "pictor_language" | "pictor_imaging" => Vec::new(),
        // Another crate's, or a module beneath this one.
        _ => module.to_vec(),
    };
    while path.next_if(|part| part == "super").is_some() {
        base.pop();
    }
    base.extend(path);
    Some(base)
}

/// The rooms from top to bottom, as the table says.
fn rooms() -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let table = text.split("## The rooms").nth(1).and_then(|text| text.split("\n## ").next()).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned));
    rows.collect()
}

fn room_of(source: &Source) -> Option<&str> {
    match source.krate {
        "imaging" => Some("imaging"),
        _ => source.module.first().map(String::as_str),
    }
}

/// The rooms that a file names, its own among them.
fn named<'a>(source: &'a Source, rooms: &'a [String]) -> BTreeSet<&'a str> {
    let room = |path: &'a Vec<String>| {
        let first = path.iter().find(|part| !part.starts_with("pictor_language"))?;
        if first == "pictor_imaging" {
            return Some("imaging");
        }
        let from_root = source.krate != "imaging" || ["error", "negotiate", "plan"].contains(&first.as_str());
        rooms.iter().find(|room| from_root && *room == first).map(String::as_str)
    };
    source.names.iter().filter_map(room).collect()
}

#[test]
fn imports_point_down() {
    let (house, rooms) = (house(), rooms());
    let floor = |room: &str| rooms.iter().position(|other| other == room);
    let mut wrong = Vec::new();
    for source in &house {
        let Some(room) = room_of(source).filter(|room| *room != "main") else { continue };
        let Some(at) = floor(room) else {
            wrong.push(format!("{} is in the room {room}, which the table does not have", source.path));
            continue;
        };
        for other in named(source, &rooms).into_iter().filter(|other| floor(other).is_some_and(|floor| floor < at)) {
            wrong.push(format!("{} imports {other}, which is above {room}", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What each room imports, as `ARCHITECTURE.md` has it: the lines behind "Who imports whom".
fn arrows() -> String {
    let (house, rooms) = (house(), rooms());
    let mut arrows: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in &house {
        let Some(room) = room_of(source) else { continue };
        let others = named(source, &rooms).into_iter().filter(|other| *other != room);
        arrows.entry(room).or_default().extend(others);
    }
    let line = |room: &String| {
        let to: Vec<&str> =
            rooms.iter().map(String::as_str).filter(|other| arrows[room.as_str()].contains(other)).collect();
        format!("{room:<10} → {}\n", if to.is_empty() { "nothing".into() } else { to.join(", ") })
    };
    rooms.iter().map(line).collect()
}

#[test]
fn the_arrows_are_as_they_are_drawn() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    let drawn = text.split("Who imports whom").nth(1).and_then(|text| text.split("```").nth(1)).unwrap_or_default();
    assert_eq!(drawn.trim_start_matches('\n'), arrows(), "write the right-hand side into ARCHITECTURE.md");
}

#[test]
fn every_room_of_the_table_is_there() {
    let house = house();
    let there: BTreeSet<&str> = house.iter().filter_map(room_of).collect();
    let rooms = rooms();
    let missing: Vec<_> = rooms.iter().filter(|room| !there.contains(room.as_str())).collect();
    assert!(rooms.len() > 10 && missing.is_empty(), "no files: {missing:?}");
}

/// Children may use what their parents' files define, and parents use their children: that is how modules are made. Any
/// other circle is one too many.
#[test]
fn no_files_import_each_other() {
    let house = house();
    let mut wrong = Vec::new();
    for (krate, _) in CRATES {
        let files: BTreeMap<&[String], usize> = house
            .iter()
            .enumerate()
            .filter(|(_, source)| source.krate == krate)
            .map(|(number, source)| (source.module.as_slice(), number))
            .collect();
        let edges = |number: usize| -> BTreeSet<usize> {
            let from = &house[number];
            let to = from.names.iter().filter_map(|path| {
                // The deepest module that is a file.
                let deepest = (1..=path.len()).rev().find_map(|length| files.get(&path[..length]))?;
                let above = from.module.starts_with(&house[*deepest].module);
                (*deepest != number && !above).then_some(*deepest)
            });
            to.collect()
        };
        let graph: BTreeMap<usize, BTreeSet<usize>> = files.values().map(|number| (*number, edges(*number))).collect();
        wrong.extend(circles(&graph).into_iter().map(|circle| {
            circle.into_iter().map(|number| house[number].path.as_str()).collect::<Vec<_>>().join(" <-> ")
        }));
    }
    assert!(wrong.is_empty(), "files that import each other:\n{}", wrong.join("\n"));
}

/// Sets of two and more that reach each other.
fn circles(graph: &BTreeMap<usize, BTreeSet<usize>>) -> Vec<BTreeSet<usize>> {
    let reach = |start: usize| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![start]);
        while let Some(at) = next.pop() {
            for to in graph.get(&at).into_iter().flatten() {
                if seen.insert(*to) {
                    next.push(*to);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<usize, BTreeSet<usize>> = graph.keys().map(|start| (*start, reach(*start))).collect();
    let mut circles = BTreeSet::new();
    for (start, seen) in &reached {
        let back: BTreeSet<usize> = seen.iter().copied().filter(|other| reached[other].contains(start)).collect();
        if back.len() > 1 {
            circles.insert(back);
        }
    }
    circles.into_iter().collect()
}

#[test]
fn what_is_wrong_is_seen() {
    let module = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    let text = "use crate::http::{self, front::Guard};\nuse super::super::plan::Plan;\n// use crate::cli::X;\nfn a() { crate::shield::run(\"crate::cli\"); }\n\
                #[cfg(test)]\nmod tests {\n    use crate::state::State;\n}";
    let names = names(&without_tests(text), &module("engine::queue"));
    let whole: BTreeSet<String> = names.iter().map(|path| path.join("::")).collect();
    for name in ["http::self", "http::front::Guard", "plan::Plan", "shield::run"] {
        assert!(whole.contains(name), "{name}: {whole:?}");
    }
    assert!(!whole.iter().any(|name| name.starts_with("cli") || name.starts_with("state")), "{whole:?}");
    let types = "pub struct One<T> {\n    pub(super) type Two = u8;\npub unsafe trait Three: Sized {\nstruct Own;\npub fn four() {\npub enum Five {";
    assert_eq!(public_types(types), ["One", "Two", "Three", "Five"]);
    let graph = BTreeMap::from([
        (1, BTreeSet::from([2])),
        (2, BTreeSet::from([3])),
        (3, BTreeSet::from([1])),
        (4, BTreeSet::from([1])),
    ]);
    assert_eq!(circles(&graph), [BTreeSet::from([1, 2, 3])]);
}

/// Who decides anything about a request's query is given what was taken apart once. The text itself is read in one place, so
/// that no two can read it differently.
#[test]
fn a_requests_query_is_taken_apart_in_one_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asks = |path: &str| without_tests(&fs::read_to_string(root.join(path)).unwrap()).matches(".query()").count();
    let house = house();
    let who: Vec<(&str, usize)> = house
        .iter()
        .filter(|source| room_of(source) == Some("http"))
        .map(|source| (source.path.as_str(), asks(&source.path)))
        .filter(|(_, times)| *times > 0)
        .collect();
    assert_eq!(who, [("src/http/incoming.rs", 1)]);
}

/// Whoever reads a name shall not have to ask which one is meant.
#[test]
fn no_two_public_types_have_one_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in house() {
        let text = without_tests(&fs::read_to_string(root.join(&source.path)).unwrap());
        for name in public_types(&text) {
            places.entry(name).or_default().insert(source.path.clone());
        }
    }
    assert!(places.len() > 300, "only {} types were found", places.len());
    let more = places.iter().filter(|(_, places)| places.len() > 1);
    let more: Vec<_> = more.collect();
    assert!(more.is_empty(), "of one name: {more:#?}");
}

/// The names of a text's types that somebody else can see.
fn public_types(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let rest = line.trim_start().strip_prefix("pub")?;
        let rest = match rest.strip_prefix('(') {
            Some(rest) => rest.split_once(')')?.1,
            None => rest,
        };
        let mut words = rest.strip_prefix(' ')?.split(' ');
        let kind = words.find(|word| *word != "unsafe")?;
        let types = ["struct", "enum", "trait", "type", "union"].contains(&kind);
        let name = words.next().filter(|_| types)?;
        Some(name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(name).to_owned())
    };
    text.lines().filter_map(name).collect()
}

/// What a disk keeps waiting shall not keep a connection or a flight waiting: files are read by the origin of a folder and by
/// the state, on threads of their own.
#[test]
fn connections_and_flights_read_no_files() {
    let blocking = |path: &Vec<String>| path.windows(2).any(|pair| pair[0] == "std" && pair[1] == "fs");
    let house = house();
    let rooms = ["http", "shield", "site", "cache", "telemetry"];
    let wrong: Vec<_> = house
        .iter()
        .filter(|source| room_of(source).is_some_and(|room| rooms.contains(&room)) && source.names.iter().any(blocking))
        .map(|source| source.path.as_str())
        .collect();
    assert!(wrong.is_empty(), "std::fs in {wrong:?}");
    assert!(house.iter().any(|source| source.path == "src/origin/dir.rs" && source.names.iter().any(blocking)));
}
