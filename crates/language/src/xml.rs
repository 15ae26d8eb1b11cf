//! Small XML documents: those of stores, and those of the vendors' interfaces.

use quick_xml::Reader;
use quick_xml::events::Event;

/// Deeper documents are none of ours.
const MAX_DEPTH: usize = 16;

/// What documents begin with.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Calls `visit` at the start of every element, and at its end with the text right inside, always with the names down to
/// it (without namespaces).
///
/// # Errors
/// A sentence about what is wrong with the document.
pub fn walk(body: &[u8], mut visit: impl FnMut(&[&str], Option<&str>)) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let mut names: Vec<String> = Vec::new();
    let mut texts: Vec<String> = Vec::new();
    loop {
        match reader.read_event().map_err(|error| format!("it is not XML: {error}"))? {
            Event::Start(start) => {
                if names.len() >= MAX_DEPTH {
                    return Err("it is nested too deeply".into());
                }
                names.push(start.local_name().as_ref().to_owned());
                texts.push(String::new());
                visit(&names.iter().map(String::as_str).collect::<Vec<_>>(), None);
            }
            Event::Empty(start) => {
                let name = start.local_name().as_ref().to_owned();
                let path: Vec<&str> = names.iter().map(String::as_str).chain([name.as_str()]).collect();
                visit(&path, None);
                visit(&path, Some(""));
            }
            Event::End(_) => {
                let path: Vec<&str> = names.iter().map(String::as_str).collect();
                visit(&path, Some(texts.last().map(String::as_str).unwrap_or_default()));
                names.pop();
                texts.pop();
            }
            Event::Text(piece) => {
                if let Some(text) = texts.last_mut() {
                    text.push_str(&piece.xml10_content());
                }
            }
            Event::CData(piece) => {
                if let Some(text) = texts.last_mut() {
                    text.push_str(&piece.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let character = match &*reference {
                    "lt" => '<',
                    "gt" => '>',
                    "amp" => '&',
                    "quot" => '"',
                    "apos" => '\'',
                    // A document's own entities are not expanded: nobody needs them, and bombs are made of them.
                    _ => reference.resolve_char_ref().ok().flatten().ok_or("it has an unknown entity")?,
                };
                if let Some(text) = texts.last_mut() {
                    text.push(character);
                }
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) => {}
            Event::Eof if names.is_empty() => return Ok(()),
            Event::Eof => return Err("it ends early".into()),
        }
    }
}

/// Appends an element that holds a text.
pub fn element(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("<{name}>"));
    escape(text, out);
    out.push_str(&format!("</{name}>"));
}

/// Text for XML 1.0, which has no place for most control characters even as references.
fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
