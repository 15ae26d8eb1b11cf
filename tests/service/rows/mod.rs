//! The references' test tables (tencent-ci §9, aliyun-oss §8), every row over HTTP through the real binary. Each row says
//! what the vendor says; what is not met stands in a table of its own with its reason, and leaves it when it is met.

mod aliyun;
mod grid;
mod look;
mod quality;
mod sources;
mod tencent;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use reqwest::Method;

use crate::support::{Pictor, client};
use look::{Canvas, Seen, seen};

/// One row of a table.
#[derive(Clone)]
pub struct Row {
    /// The row's number in the reference; request forms count on from 1001.
    number: u16,
    /// The object's name and stored size.
    source: (&'static str, u32, u32),
    rule: String,
    host: Option<&'static str>,
    method: Method,
    /// `Pic-Operations`, and a body.
    operations: Option<&'static str>,
    body: Vec<u8>,
    want: Want,
    checks: Vec<Check>,
}

/// What the answer is.
#[derive(Clone)]
enum Want {
    /// A picture of this media type and size.
    Picture(&'static str, u32, u32),
    /// The vendor's XML with this status and number.
    Refused(u16, &'static str),
    /// JSON of this media type, with these values at these places; `~0x7f7f80` is a colour close to that one.
    Facts(Vec<(&'static str, &'static str)>),
    /// A text of this form.
    Text(&'static str),
    /// A text that holds this one, after which there are pictures of this type and these sizes.
    Stored(&'static str, &'static str, Vec<(&'static str, u32, u32)>),
}

/// What else the row says.
#[derive(Clone)]
enum Check {
    /// So many frames; without it, one.
    Frames(u32),
    Progressive,
    /// The quality of a JPEG as a rule on it would take it. No other program names it: jpegli's tables are not the IJG's.
    Quality(u8),
    NoExif,
    /// The source, byte for byte.
    Original,
    /// At most so many bytes.
    AtMost(usize),
    /// The size may be off by so many pixels.
    Give(u32),
    /// At this place lies this place of the source.
    From((u32, u32), (u32, u32)),
    /// At this place lies this colour.
    Is((u32, u32), [u8; 3]),
    /// What lies here is as bright as this, from and to.
    Within((u32, u32), (u8, u8)),
    /// Nothing lies here.
    Clear((u32, u32)),
    /// Brighter, or darker, than the source.
    Brighter(bool),
    /// Less, or more, contrast than the source.
    Flatter,
    /// No colour at all, or some.
    Grey(bool),
    /// Differs from what this rule gives, inside of this rectangle (left, top, right, bottom) only.
    Marked(&'static str, (u32, u32, u32, u32)),
    /// The same bytes as another row's rule on the same source.
    Same(&'static str),
    /// The rule with this added gives the source's bytes.
    IgnoreError,
    /// A header of the answer.
    Header(&'static str, &'static str),
}

impl Row {
    fn new(number: u16, source: (&'static str, u32, u32), rule: impl Into<String>, want: Want) -> Self {
        Self {
            number,
            source,
            rule: rule.into(),
            host: None,
            method: Method::GET,
            operations: None,
            body: Vec::new(),
            want,
            checks: Vec::new(),
        }
    }

    fn and(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    fn on(mut self, host: &'static str) -> Self {
        self.host = Some(host);
        self
    }

    /// By another method than GET, with a body, and with `Pic-Operations`.
    fn by(mut self, method: Method, body: Vec<u8>, operations: Option<&'static str>) -> Self {
        (self.method, self.body, self.operations) = (method, body, operations);
        self
    }
}

/// A table and what of it is not met.
struct Table {
    name: &'static str,
    rows: Vec<Row>,
    not_met: &'static [(u16, &'static str)],
}

/// Asks for every row and says all that is wrong at once.
async fn prove(table: Table, folder: &Path, pictor: &Pictor) {
    let scratch = Arc::new(tempfile::tempdir().unwrap());
    let asked = table.rows.iter().enumerate().map(|(at, row)| {
        let (row, folder, scratch) = (row.clone(), folder.to_owned(), scratch.clone());
        let here = pictor.public.to_string();
        async move {
            let number = row.number;
            let said = ask(&row, &folder, &here, &scratch.path().join(format!("{at}"))).await;
            (number, said.map_err(|wrong| format!("row {number} `{}` of {}: {wrong}", row.rule, row.source.0)))
        }
    });
    let said: Vec<(u16, Result<(), String>)> = futures_util::stream::iter(asked).buffer_unordered(3).collect().await;
    let mut answers: BTreeMap<u16, Vec<Result<(), String>>> = BTreeMap::new();
    for (number, said) in said {
        answers.entry(number).or_default().push(said);
    }
    let mut wrong = Vec::new();
    for (number, answers) in answers {
        let listed = table.not_met.iter().find(|(listed, _)| *listed == number);
        let bad: Vec<String> = answers.into_iter().filter_map(Result::err).collect();
        match listed {
            None => wrong.extend(bad),
            Some((_, reason)) if bad.is_empty() => {
                wrong.push(format!("row {number} is met: take it out of the list ({reason})"));
            }
            Some((_, reason)) => println!("{}: row {number} is not met: {reason}", table.name),
        }
    }
    assert!(
        wrong.is_empty(),
        "{}: {} rows are not as the reference says:\n{}",
        table.name,
        wrong.len(),
        wrong.join("\n")
    );
}

/// Every number from 1 on is in the table once or more, and nothing else.
fn complete(table: &Table, rows: u16, forms: u16) {
    let have: std::collections::BTreeSet<u16> = table.rows.iter().map(|row| row.number).collect();
    let want: std::collections::BTreeSet<u16> = (1..=rows).chain(1001..=1000 + forms).collect();
    assert_eq!(have, want, "{}: rows of the table", table.name);
    assert!(table.not_met.iter().all(|(number, reason)| have.contains(number) && reason.len() > 10), "{}", table.name);
}

struct Got {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or("?"))
    }
}

async fn get(here: &str, row: &Row, rule: &str) -> Got {
    let (path, query) = match rule.strip_prefix('/') {
        // A rule that begins with a slash is a whole path.
        Some(_) => (String::new(), rule.to_owned()),
        None if rule.is_empty() => (format!("/{}", row.source.0), String::new()),
        None => (format!("/{}", row.source.0), format!("?{rule}")),
    };
    let mut request = client().request(row.method.clone(), format!("http://{here}{path}{query}"));
    if let Some(host) = row.host {
        request = request.header("Host", host);
    }
    if let Some(operations) = row.operations {
        request = request.header("Pic-Operations", operations);
    }
    if row.method != Method::GET {
        request = request.body(row.body.clone());
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Got { status, headers, body: answer.bytes().await.unwrap().to_vec() }
}

async fn ask(row: &Row, folder: &Path, here: &str, scratch: &Path) -> Result<(), String> {
    let got = get(here, row, &row.rule).await;
    if let (Want::Stored(text, media, pictures), 200) = (&row.want, got.status) {
        if !String::from_utf8_lossy(&got.body).contains(text) {
            return Err(format!("there is no {text} in {}", String::from_utf8_lossy(&got.body)));
        }
        for (path, width, height) in pictures {
            let row = Row::new(row.number, row.source, *path, Want::Picture(media, *width, *height));
            Box::pin(ask(&row, folder, here, &scratch.with_extension("stored"))).await?;
        }
        return Ok(());
    }
    let original = std::fs::read(folder.join(row.source.0)).unwrap_or_default();
    // What checks compare with, asked for beforehand.
    let mut others = Vec::new();
    for check in &row.checks {
        let rule = match check {
            Check::Marked(rule, _) | Check::Same(rule) => (*rule).to_owned(),
            Check::IgnoreError => format!("{}/ignore-error/1", row.rule),
            _ => continue,
        };
        others.push(get(here, row, &rule).await.body);
    }
    let (row, scratch, folder) = (row.clone(), scratch.to_owned(), folder.to_owned());
    tokio::task::spawn_blocking(move || judge(&row, &got, &original, &mut others.into_iter(), &folder, &scratch))
        .await
        .unwrap()
}

fn judge(
    row: &Row,
    got: &Got,
    original: &[u8],
    others: &mut dyn Iterator<Item = Vec<u8>>,
    folder: &Path,
    scratch: &Path,
) -> Result<(), String> {
    let text = || String::from_utf8_lossy(&got.body).chars().take(300).collect::<String>();
    match &row.want {
        Want::Refused(status, number) => {
            let said = [got.header("x-errno"), got.header("x-oss-ec")].concat();
            if got.status != *status || said != *number {
                return Err(format!(
                    "status {} and number {said:?}, not {status} and {number:?}: {}",
                    got.status,
                    text()
                ));
            }
            if got.header("content-type") != "application/xml" || !text().contains("<Error><Code>") {
                return Err(format!("no error of the vendor's: {}: {}", got.header("content-type"), text()));
            }
            for check in &row.checks {
                if matches!(check, Check::IgnoreError) && others.next().is_none_or(|body| body != original) {
                    return Err("with ignore-error/1 it is not the source".into());
                }
            }
            return Ok(());
        }
        _ if got.status != 200 => return Err(format!("status {}: {}", got.status, text())),
        Want::Facts(facts) => {
            let json: serde_json::Value =
                serde_json::from_slice(&got.body).map_err(|error| format!("{error}: {}", text()))?;
            let wrong = facts.iter().find(|(place, want)| !json.pointer(place).is_some_and(|value| is(value, want)));
            return match wrong {
                Some((place, want)) => Err(format!("{place} is not {want}: {}", text())),
                None if got.header("content-type") != "application/json" => Err(got.header("content-type").to_owned()),
                None => Ok(()),
            };
        }
        Want::Text(form) => {
            return match is(&text().trim().into(), form) {
                true => Ok(()),
                false => Err(format!("not {form}: {}", text())),
            };
        }
        Want::Picture(..) | Want::Stored(..) => {}
    }
    let Want::Picture(media, width, height) = row.want else { unreachable!() };
    picture(row, got, original, others, (media, width, height), folder, scratch)
}

/// Whether a value is this string; after `~` whether it is a colour, as the vendors write them, close to this one.
fn is(value: &serde_json::Value, form: &str) -> bool {
    let Some(text) = value.as_str() else { return false };
    let Some(colour) = form.strip_prefix('~') else { return text == form };
    let parts = |text: &str| {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 6 && *digits == digits.to_lowercase())?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_be_bytes)
    };
    let (Some(have), Some(want)) = (parts(text), parts(colour)) else { return false };
    have.iter().zip(want).all(|(have, want)| have.abs_diff(want) <= 3)
}

/// The extension by which other programs know a media type.
fn extension(media: &str) -> &'static str {
    match media {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "image/bmp" => "bmp",
        "image/avif" => "avif",
        "image/heif" | "image/heic" => "heic",
        other => panic!("no program for {other}"),
    }
}

fn picture(
    row: &Row,
    got: &Got,
    original: &[u8],
    others: &mut dyn Iterator<Item = Vec<u8>>,
    (media, width, height): (&'static str, u32, u32),
    folder: &Path,
    scratch: &Path,
) -> Result<(), String> {
    let wanted_type = row.checks.iter().find_map(|check| match check {
        Check::Header("content-type", value) => Some(*value),
        _ => None,
    });
    if got.header("content-type") != wanted_type.unwrap_or(media) {
        return Err(format!("it is {}, not {media}", got.header("content-type")));
    }
    let write = |name: &str, bytes: &[u8]| -> PathBuf {
        let file = PathBuf::from(format!("{}-{name}.{}", scratch.display(), extension(media)));
        std::fs::write(&file, bytes).unwrap();
        file
    };
    let file = write("answer", &got.body);
    let picture: Seen = seen(&file)?;
    let give =
        row.checks.iter().find_map(|check| if let Check::Give(by) = check { Some(*by) } else { None }).unwrap_or(0);
    if picture.width.abs_diff(width) > give || picture.height.abs_diff(height) > give {
        return Err(format!("it is {} x {}, not {width} x {height}", picture.width, picture.height));
    }
    let frames =
        row.checks.iter().find_map(|check| if let Check::Frames(frames) = check { Some(*frames) } else { None });
    if picture.frames != frames.unwrap_or(1) {
        return Err(format!("it has {} frames, not {}", picture.frames, frames.unwrap_or(1)));
    }
    let mut canvas = None;
    let mut open = || -> Result<std::rc::Rc<Canvas>, String> {
        if canvas.is_none() {
            canvas = Some(std::rc::Rc::new(Canvas::open(&file)?));
        }
        Ok(canvas.clone().unwrap())
    };
    let source = || {
        Canvas::open(&{
            let copy =
                PathBuf::from(format!("{}-source.{}", scratch.display(), row.source.0.rsplit('.').next().unwrap()));
            std::fs::copy(folder.join(row.source.0), &copy).unwrap();
            copy
        })
    };
    let near = |have: [u8; 4], want: [u8; 3], by: u8| have.iter().zip(want).all(|(a, b)| a.abs_diff(b) <= by);
    for check in &row.checks {
        match check {
            Check::Frames(_) | Check::Give(_) | Check::IgnoreError | Check::Header("content-type", _) => {}
            Check::Header(name, value) if got.header(name) == *value => {}
            Check::Header(name, value) => return Err(format!("{name} is {:?}, not {value}", got.header(name))),
            Check::Progressive if picture.progressive => {}
            Check::Progressive => return Err("it is not progressive".into()),
            Check::Quality(quality) => {
                let have = pictor::imaging::probe(&got.body).map_err(|error| error.message)?.quality;
                if have != Some(*quality) {
                    return Err(format!("its quality is {have:?}, not {quality}"));
                }
            }
            Check::NoExif => {
                if got.body.windows(6).any(|window| window == b"Exif\0\0") {
                    return Err("there is EXIF in it".into());
                }
            }
            Check::Original => {
                if got.body != original {
                    return Err("it is not the source's bytes".into());
                }
            }
            Check::AtMost(bytes) => {
                if got.body.len() > *bytes {
                    return Err(format!("it has {} bytes, more than {bytes}", got.body.len()));
                }
            }
            Check::From(at, (x, y)) => {
                let want = sources::colour(*x, *y, row.source.1, row.source.2);
                let have = open()?.at(at.0, at.1);
                if !near(have, want, 7) {
                    return Err(format!("at {at:?} is {have:?}, not {want:?} of ({x}, {y})"));
                }
            }
            Check::Is(at, want) => {
                let have = open()?.at(at.0, at.1);
                if !near(have, *want, 12) || have[3] != 255 {
                    return Err(format!("at {at:?} is {have:?}, not {want:?}"));
                }
            }
            Check::Within(at, (least, most)) => {
                let have = open()?.at(at.0, at.1);
                if have[..3].iter().any(|part| !(*least..=*most).contains(part)) {
                    return Err(format!("at {at:?} is {have:?}, not from {least} to {most}"));
                }
            }
            Check::Clear(at) => {
                let have = open()?.at(at.0, at.1);
                if have[3] != 0 {
                    return Err(format!("at {at:?} is {have:?}, not nothing"));
                }
            }
            Check::Brighter(up) => {
                let (have, was) = (open()?.brightness().0, source()?.brightness().0);
                if (have > was + 5.0) != *up || (have < was - 5.0) == *up {
                    return Err(format!("its mean is {have:.1}, the source's {was:.1}"));
                }
            }
            Check::Flatter => {
                let (have, was) = (open()?.brightness().1, source()?.brightness().1);
                if have >= was * 0.9 {
                    return Err(format!("its deviation is {have:.1}, the source's {was:.1}"));
                }
            }
            Check::Grey(grey) => {
                let have = open()?.colourfulness();
                if (have <= 2) != *grey {
                    return Err(format!("colours lie {have} apart"));
                }
            }
            Check::Marked(_, (left, top, right, bottom)) => {
                let plain = Canvas::open(&write("plain", &others.next().unwrap()))?;
                let inside = |x, y| (*left..*right).contains(&x) && (*top..*bottom).contains(&y);
                let canvas = open()?;
                let (drawn, spilt) = (canvas.changed(&plain, inside), canvas.changed(&plain, |x, y| !inside(x, y)));
                if drawn < 20 || spilt > 0 {
                    return Err(format!("{drawn} pixels changed inside of the mark's place, {spilt} outside"));
                }
            }
            Check::Same(rule) => {
                if others.next().unwrap() != got.body {
                    return Err(format!("it is not what {rule} gives"));
                }
            }
        }
    }
    Ok(())
}
