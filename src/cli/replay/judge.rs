//! Where two answers differ, as far as it can be told without pixels.

use ::http::header;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::error::Error;
use crate::imaging::{Header, probe};
use crate::origin::Got;
use crate::plan::Format;

/// A way of being different, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum DifferenceKind {
    Fetch,
    Status,
    Code,
    Type,
    Json,
    Body,
    Size,
    Frames,
    Pixels,
    Bytes,
}

impl DifferenceKind {
    /// Every one.
    pub(super) const ALL: [Self; 10] = [
        Self::Fetch,
        Self::Status,
        Self::Code,
        Self::Type,
        Self::Json,
        Self::Body,
        Self::Size,
        Self::Frames,
        Self::Pixels,
        Self::Bytes,
    ];

    /// Its name on the command line and in reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Status => "status",
            Self::Code => "code",
            Self::Type => "type",
            Self::Json => "json",
            Self::Body => "body",
            Self::Size => "size",
            Self::Frames => "frames",
            Self::Pixels => "pixels",
            Self::Bytes => "bytes",
        }
    }
}

impl Serialize for DifferenceKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// Of which kind.
    pub kind: DifferenceKind,
    /// What exactly.
    pub detail: String,
}

/// What one place said.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct PlaceAnswer {
    /// The status; 0 if there was no answer.
    pub status: u16,
    /// The Content-Type as it came, shortened.
    #[serde(rename = "type")]
    pub media: String,
    /// Bytes of the body.
    pub bytes: u64,
    /// What the bytes are, if they are a picture.
    pub format: Option<Format>,
    /// The width as it is seen upright.
    pub width: Option<u32>,
    /// The height likewise.
    pub height: Option<u32>,
    /// Frames of the picture.
    pub frames: Option<u32>,
    /// The Code of an XML error.
    pub code: Option<String>,
    /// Its Message, which is shown and not compared.
    pub message: Option<String>,
    /// Why there was no answer.
    pub error: Option<String>,
    /// Milliseconds until all of it was there.
    pub ms: u64,
    #[serde(skip)]
    pub header: Option<Header>,
}

/// The longest text that is taken over from an answer.
const MAX_TEXT: usize = 200;

/// Differences in JSON that are told.
const MAX_VALUES: usize = 5;

/// Bytes of JSON that is compared by value.
const MAX_JSON: usize = 1 << 20;

/// Bytes by which every answer may be larger.
const MIN_GROWTH: u64 = 1024;

impl PlaceAnswer {
    /// What an answer is.
    pub(super) fn of(answer: &Result<Got, Error>, ms: u64) -> Self {
        let got = match answer {
            Ok(got) => got,
            Err(error) => return Self { error: Some(short(&error.report())), ms, ..Self::default() },
        };
        let media = got.headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let mut side = Self {
            status: got.status,
            media: short(&media.unwrap_or_default()),
            bytes: got.body.len() as u64,
            ms,
            ..Self::default()
        };
        if side.success() {
            side.header = probe(&got.body).ok();
        } else {
            [side.code, side.message] = error(&got.body);
        }
        if let Some(Header { source, .. }) = side.header {
            let (w, h) =
                if source.orientation >= 5 { (source.height, source.width) } else { (source.width, source.height) };
            (side.format, side.width, side.height) = (Some(source.format), Some(w), Some(h));
            side.frames = Some(source.frames.max(1));
        }
        side
    }

    fn success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What differs but the pixels, which are worth comparing if the flag is set.
pub(super) fn judge(
    (first, a): (&PlaceAnswer, &[u8]),
    (second, b): (&PlaceAnswer, &[u8]),
    max_growth: f64,
) -> (Vec<Difference>, bool) {
    let mut found = Vec::new();
    let mut differ = |kind, detail: String| found.push(Difference { kind, detail });
    for (name, side) in [("the first", first), ("the second", second)] {
        if let Some(error) = &side.error {
            differ(DifferenceKind::Fetch, format!("{name}: {error}"));
        }
    }
    if first.error.is_some() || second.error.is_some() {
        return (found, false);
    }
    if first.status != second.status {
        differ(DifferenceKind::Status, format!("{} became {}", first.status, second.status));
    }
    if !first.success() && !second.success() && first.code != second.code {
        let name = |side: &PlaceAnswer| side.code.clone().unwrap_or_else(|| "no code".into());
        differ(DifferenceKind::Code, format!("{} became {}", name(first), name(second)));
    }
    if !first.success() || !second.success() {
        return (found, false);
    }
    let types = (essence(&first.media), essence(&second.media));
    if types.0 != types.1 {
        differ(DifferenceKind::Type, format!("{} became {}", named(&types.0), named(&types.1)));
    } else if first.format != second.format {
        let name = |side: &PlaceAnswer| side.format.map_or("no picture", Format::name);
        differ(DifferenceKind::Type, format!("the bytes are {}, and were {}", name(second), name(first)));
    }
    let grown = second.bytes.saturating_sub(first.bytes);
    if grown > MIN_GROWTH && grown as f64 > first.bytes as f64 * max_growth / 100.0 {
        let percent = grown as f64 / first.bytes.max(1) as f64 * 100.0;
        differ(DifferenceKind::Bytes, format!("{} became {}, {percent:.0} % more", first.bytes, second.bytes));
    }
    if a == b {
        return (found, false);
    }
    if let (Some(_), Some(_)) = (first.format, second.format) {
        let size = |side: &PlaceAnswer| (side.width.unwrap_or(0), side.height.unwrap_or(0));
        let (one, other) = (size(first), size(second));
        if one != other {
            differ(DifferenceKind::Size, format!("{}x{} became {}x{}", one.0, one.1, other.0, other.1));
        }
        if first.frames != second.frames {
            let (one, other) = (first.frames.unwrap_or(0), second.frames.unwrap_or(0));
            differ(DifferenceKind::Frames, format!("{one} became {other}"));
        }
        return (found, one == other);
    }
    match (json(first, a), json(second, b)) {
        (Some(one), Some(other)) => {
            let mut values = Vec::new();
            compare(&one, &other, "", &mut values);
            if !values.is_empty() {
                differ(DifferenceKind::Json, values.join("; "));
            }
        }
        _ => match (brief(a), brief(b)) {
            (Some(one), Some(other)) => differ(DifferenceKind::Body, format!("{one} became {other}")),
            _ => differ(DifferenceKind::Body, "the bytes differ".into()),
        },
    }
    (found, false)
}

/// Type and subtype, with other names of the same thing as one.
fn essence(media: &str) -> String {
    let text = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match text.as_str() {
        "image/jpg" | "image/pjpeg" => "image/jpeg".into(),
        "image/heic" | "image/heic-sequence" | "image/heif-sequence" => "image/heif".into(),
        "image/x-bmp" | "image/x-ms-bmp" => "image/bmp".into(),
        "text/xml" => "application/xml".into(),
        _ => text,
    }
}

fn named(media: &str) -> &str {
    if media.is_empty() { "no type" } else { media }
}

/// A body that is a short text, as it is.
fn brief(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    (text.len() <= 60 && !text.chars().any(char::is_control)).then_some(text)
}

/// The body as JSON, where it is meant to be.
fn json(side: &PlaceAnswer, body: &[u8]) -> Option<Value> {
    // Facts are short; what is longer is compared byte by byte, because parsed it takes many times its length.
    let meant = body.len() <= MAX_JSON && (essence(&side.media).ends_with("json") || body.first() == Some(&b'{'));
    meant.then(|| serde_json::from_slice(body).ok()).flatten()
}

/// Adds where two values differ, by pointer.
fn compare(one: &Value, other: &Value, at: &str, found: &mut Vec<String>) {
    if found.len() >= MAX_VALUES || one == other {
        return;
    }
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                let at = format!("{at}/{name}");
                match b.get(name) {
                    Some(same) => compare(value, same, &at, found),
                    None => found.push(short(&format!("{at} is gone"))),
                }
                if found.len() >= MAX_VALUES {
                    return;
                }
            }
            let new = b.keys().filter(|name| !a.contains_key(*name));
            found.extend(new.take(MAX_VALUES).map(|name| short(&format!("{at}/{name} is new"))));
            found.truncate(MAX_VALUES);
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (number, (one, other)) in a.iter().zip(b).enumerate() {
                compare(one, other, &format!("{at}/{number}"), found);
            }
        }
        _ => found.push(format!("{} was {}, is {}", short(at), short(&one.to_string()), short(&other.to_string()))),
    }
}

/// The first `Code` and the first `Message` of an XML error.
fn error(body: &[u8]) -> [Option<String>; 2] {
    // Errors are short; of whatever is longer this much is read.
    let text = String::from_utf8_lossy(body.get(..body.len().min(64 << 10)).unwrap_or_default());
    let mut reader = Reader::from_str(&text);
    let (mut found, mut inside) = ([const { None::<String> }; 2], None);
    loop {
        let piece = match reader.read_event() {
            Ok(Event::Start(start)) => {
                let place = ["Code", "Message"].iter().position(|name| *name == start.local_name().as_ref());
                // Of a name that stands twice the first counts.
                inside = place.and_then(|place| found.get_mut(place)).filter(|text| text.is_none()).map(|text| {
                    *text = Some(String::new());
                    place.unwrap_or_default()
                });
                continue;
            }
            Ok(Event::Text(text)) => text.to_string(),
            Ok(Event::GeneralRef(reference)) => match &*reference {
                "lt" => "<".into(),
                "gt" => ">".into(),
                "amp" => "&".into(),
                "quot" => "\"".into(),
                "apos" => "'".into(),
                // Nobody needs others, and bombs are made of them.
                _ => "?".into(),
            },
            Ok(Event::End(_)) => {
                inside = None;
                continue;
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => continue,
        };
        if let Some(Some(text)) = inside.and_then(|place| found.get_mut(place)) {
            text.push_str(&piece);
        }
    }
    found.map(|text| text.map(|text| short(text.trim())).filter(|text| !text.is_empty()))
}

/// A text on one line, of no more than [`MAX_TEXT`] characters.
fn short(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        out.push_str("...");
    }
    out
}
