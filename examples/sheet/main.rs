//! Draws every operation of both dialects on the demo's picture: `sheet FOLDER` writes one contact sheet per dialect, and
//! one of marks in many scripts and places, into the folder. Every tile is the result of the rule that stands below it;
//! the labels are text marks of our own.

mod canvas;
mod rules;

use std::error::Error;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use canvas::{Canvas, scene};
use pictor::config::FontsConfig;
use pictor::dialect::{Dialect, facts_body};
use pictor::imaging::Effort;
use pictor::imaging::encode::writable;
use pictor::imaging::{Job, Outcome, Policy, convert_marked, probe};
use pictor::negotiate::{Class, choose};
use pictor::plan::{Format, Limits, Plan};
use rules::{Drawn, Rule};

/// Of a tile's picture, and what of a result's pixels is shown: sizes can be compared.
const BOX: (u32, u32) = (212, 141);
const SCALE: f64 = 0.47;
/// Of a tile, with its label.
const TILE: (u32, u32) = (228, 208);
const COLUMNS: u32 = 6;
/// Letters of a line of the label, and lines.
const LETTERS: usize = 36;
const LINES: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args().skip(1).find(|argument| argument != "--bench").map(PathBuf::from) else {
        println!("usage: sheet FOLDER");
        return Ok(());
    };
    pictor::imaging::fonts::load_all(&FontsConfig::default());
    let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/demo");
    let photo = std::fs::read(demo.join("chelsea.png"))?;
    let sources = Sources {
        upside: rules::oriented(&run("imageMogr2/rotate/270/format/jpg/quality/95!", &photo, &[])?.0),
        anim: std::fs::read(demo.join("anim.gif"))?,
        jpeg: run("imageMogr2/format/jpg/quality/90!", &photo, &[])?.0,
        logo: scene::png(96, 64, scene::disc)?,
        hills: scene::png(480, 320, scene::hills)?,
        photo,
    };
    for (name, rules) in [("tencent", rules::tencent()), ("aliyun", rules::aliyun()), ("marks", rules::marks())] {
        let rows = u32::try_from(rules.len())?.div_ceil(COLUMNS);
        let mut sheet = Canvas::white(COLUMNS * TILE.0, rows * TILE.1);
        for (at, rule) in (0..).zip(&rules) {
            let tile = tile(rule, &sources).map_err(|error| format!("{}: {error}", rule.text))?;
            sheet.put(&tile, at % COLUMNS * TILE.0, at / COLUMNS * TILE.1);
        }
        missing(name, &rules);
        // The smallest file in which the labels are still easy to read.
        let bytes = convert("imageMogr2/format/avif/quality/48!", &sheet.png()?, &[], Effort::Batch)?.0;
        println!("{name}: {} rules, {} x {}, {} bytes", rules.len(), sheet.width, sheet.height, bytes.len());
        std::fs::write(folder.join(format!("operations-{name}.avif")), bytes)?;
    }
    Ok(())
}

/// Says which operations that are served stand in no rule.
fn missing(name: &str, rules: &[Rule]) {
    let Some(dialect) = Dialect::from_name(name) else { return };
    let has = |module: &str, operation: &str| {
        let words = |text: &str| text.split(['/', ',', '|', '=']).any(|word| word == operation);
        let mut fitting = rules.iter().filter(|rule| rule.text.contains(module));
        fitting.any(|rule| operation.is_empty() || words(&rule.text))
    };
    for entry in dialect.operations().into_iter().filter(|entry| entry.available && !has(entry.module, entry.name)) {
        println!("{name}: {}/{} is not drawn", entry.module, entry.name);
    }
}

/// What rules are drawn on.
struct Sources {
    photo: Vec<u8>,
    jpeg: Vec<u8>,
    upside: Vec<u8>,
    anim: Vec<u8>,
    hills: Vec<u8>,
    logo: Vec<u8>,
}

/// A rule's result over its label.
fn tile(rule: &Rule, sources: &Sources) -> Result<Canvas, Box<dyn Error>> {
    let source = match rule.on {
        Drawn::Photo => &sources.photo,
        Drawn::Jpeg => &sources.jpeg,
        Drawn::Turned => &sources.upside,
        Drawn::Moving => &sources.anim,
        Drawn::Hills => &sources.hills,
    };
    let (bytes, outcome, plan) = run(&rule.text, source, &sources.logo)?;
    let mut tile = Canvas::white(TILE.0, TILE.1);
    // A ground on which white edges show.
    tile.put(&Canvas::filled(BOX.0, BOX.1, 242), (TILE.0 - BOX.0) / 2, 6);
    let mut lines = wrapped(&rule.text);
    if let (Some(asked), Some(facts)) = (plan.facts(), outcome.facts.as_ref()) {
        let (dialect, _) = pictor::dialect::parse_rule(&rule.text)?;
        let text = facts_body(dialect, asked, facts).1;
        lines.push("facts in place of a picture".into());
        return labelled(&tile, &wrapped_to(&text, 9), &lines);
    }
    let format = outcome.format.ok_or("no picture and no facts")?;
    let (width, height) = (outcome.width, outcome.height);
    let scale = SCALE.min(f64::from(BOX.0) / f64::from(width)).min(f64::from(BOX.1) / f64::from(height));
    let side = |of: u32| ((f64::from(of) * scale).round() as u32).max(1);
    let shrink = format!("imageMogr2/thumbnail/{}x{}!/frame/1/format/png", side(width), side(height));
    let picture = Canvas::read(&run(&shrink, &bytes, &[])?.0)?;
    tile.put(&picture, (TILE.0 - picture.width) / 2, 6 + (BOX.1 - picture.height) / 2);
    let frames = if outcome.frames > 1 { format!(", {} frames", outcome.frames) } else { String::new() };
    lines.push(format!("{width} x {height} {}, {} bytes{frames}", format.name(), bytes.len()));
    labelled(&tile, &[], &lines)
}

/// Lines of text on a tile: `inside` in place of its picture, `below` under it.
fn labelled(tile: &Canvas, inside: &[String], below: &[String]) -> Result<Canvas, Box<dyn Error>> {
    let mark = |line: &str, y: u32, colour: &str| {
        format!(
            "watermark/2/text/{}/fontsize/10/gravity/northwest/dx/8/dy/{y}/dissolve/100/fill/{}",
            URL_SAFE_NO_PAD.encode(line),
            URL_SAFE_NO_PAD.encode(colour)
        )
    };
    let last = below.len().saturating_sub(1);
    let marks: Vec<String> = (0..)
        .zip(inside)
        .map(|(at, line)| mark(line, 10 + at * 14, "#3D3D3D"))
        .chain((0_u32..).zip(below).map(|(at, line)| {
            let colour = if at as usize == last { "#808080" } else { "#000000" };
            mark(line, BOX.1 + 10 + at * 13, colour)
        }))
        .collect();
    let mut png = tile.png()?;
    // A rule has at most ten stages.
    for marks in marks.chunks(9) {
        png = run(&format!("{}|imageMogr2/format/png", marks.join("|")), &png, &[])?.0;
    }
    Canvas::read(&png)
}

fn wrapped(text: &str) -> Vec<String> {
    let text = text.strip_prefix("x-oss-process=").unwrap_or(text);
    wrapped_to(text, LINES - 1)
}

/// Broken behind a separator where there is one, and cut off after so many lines.
fn wrapped_to(text: &str, most: usize) -> Vec<String> {
    let (mut lines, mut rest) = (Vec::new(), text);
    while !rest.is_empty() && lines.len() < most {
        let end = rest.char_indices().nth(LETTERS).map_or(rest.len(), |(end, _)| end);
        let good = rest[..end].rfind(['/', ',', '|']).map(|at| at + 1).filter(|at| *at > LETTERS / 2);
        // What has no separator is base64, whose letters are wide.
        let unbroken = || rest.char_indices().nth(LETTERS - 4).map_or(end, |(end, _)| end);
        let cut = if end == rest.len() { end } else { good.unwrap_or_else(unbroken) };
        lines.push(rest[..cut].trim().to_owned());
        rest = &rest[cut..];
    }
    if let Some(last) = lines.last_mut().filter(|_| !rest.is_empty()) {
        last.truncate(last.char_indices().nth(LETTERS - 2).map_or(last.len(), |(end, _)| end));
        last.push_str(" ...");
    }
    lines
}

fn run(rule: &str, source: &[u8], logo: &[u8]) -> Result<(Vec<u8>, Outcome, Plan), Box<dyn Error>> {
    convert(rule, source, logo, Effort::Interactive)
}

fn convert(rule: &str, source: &[u8], logo: &[u8], effort: Effort) -> Result<(Vec<u8>, Outcome, Plan), Box<dyn Error>> {
    let (_, plan) = pictor::dialect::parse_rule(rule)?;
    let header = probe(source)?;
    let format = match plan.output() {
        Some(output) => choose(output, &header.source, Class::default(), &[], &writable, &|_| true)?,
        None => Format::Png,
    };
    let marks: Vec<&[u8]> = plan.mark_images().map(|_| logo).collect();
    let (limits, policy) = (Limits::default(), Policy::default());
    let job = Job { plan: plan.clone(), format, limits, policy, effort, threads: 2, budget_ms: 0, full_ms: 0 };
    let (bytes, outcome) = convert_marked(source, &marks, &job)?;
    Ok((bytes, outcome, plan))
}
