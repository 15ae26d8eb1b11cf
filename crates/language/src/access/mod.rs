//! Who may do what: one decision for every request, before anything is looked up, fetched or passed on. Pure.
//!
//! ```text
//! Asked (what was parsed, and would be sent)  +  AccessPolicy (what the site opens)  ──decide──►  Grant  or  Refusal
//! ```
//!
//! Where Pictor signs with the site's own key, a request that goes through has that key's rights. So nothing goes through but
//! what is known: a closed list of actions, and for each the parameters and fields that belong to it, by their decoded names.
//! A [`Grant`] can be made here alone, and holds what is to be sent: the way to the origin asks for one, and what the
//! decision did not see cannot reach the store. No fallback has a way around it: who wants to answer with the original in
//! place of a picture asks [`decide`] for a plain read of it.

mod decide;
mod fields;
mod query;
#[cfg(test)]
mod table_tests;
#[cfg(test)]
mod tests;

use http::{HeaderMap, Method};

pub use decide::{decide, is_style_call};
pub use query::Query;

use crate::error::{Error, Kind};

/// A request as it was read: parsed and decoded, never the text as it came.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path of the object, percent-encoded as the client wrote it, without a style at its end.
    pub path: &'a str,
    /// The parameters besides the rule and signatures, decoded.
    pub query: &'a Query,
    /// The query as it goes to an origin that decides for itself: as it came, without the rule.
    pub raw_query: Option<&'a str>,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// What is wanted of the object.
    pub wants: Wants,
    /// Whether the page that asks may show this site's objects.
    pub page_admitted: bool,
}

/// What a request wants of the object that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// What is stored, or to store something: no rule was recognised.
    Stored,
    /// A picture made of it.
    Picture {
        /// By a style of the site and nothing else; otherwise the client wrote the rule.
        by_style: bool,
    },
}

/// What a site opens to requests without a signature, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessPolicy {
    /// Reads.
    pub anonymous: bool,
    /// Changes of objects, where the origin does not decide.
    pub write: bool,
    /// Lists and settings, likewise.
    pub list: bool,
    /// Header fields of answers (`response-content-type=...`).
    pub overrides: bool,
    /// Pictures are given away by their styles only.
    pub protect: bool,
    /// The site's styles may be read and changed by anyone.
    pub styles: bool,
    /// The origin checks its clients itself: requests go there as they come, and Pictor has no key that they could borrow.
    pub origin_decides: bool,
}

/// What was decided.
#[derive(Debug, Clone)]
pub enum Grant {
    /// A picture may be made.
    Picture(PictureGrant),
    /// The request may go through.
    Pass(Pass),
    /// A call for the site's styles may be carried out.
    Styles(StylesGrant),
}

/// The right to a picture made of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureGrant {
    path: String,
    version: Option<String>,
    overrides: Vec<(String, String)>,
}

impl PictureGrant {
    /// The path of the original, percent-encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The version of the original, where one was asked for.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Fields of the answer that the client chose and may choose: names as parameters, values.
    pub fn overrides(&self) -> &[(String, String)] {
        &self.overrides
    }
}

/// The right to one request to the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    action: Action,
    path: String,
    sent: SentQuery,
    version: Option<String>,
    fields: fields::Rule,
}

/// The query of a request that goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentQuery {
    /// As it came: the origin decides.
    AsItCame(Option<String>),
    /// These parameters, decoded, and no others.
    Only(Vec<(Vec<u8>, Vec<u8>)>),
}

/// What a request does at the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Reads an object.
    Read,
    /// Reads a list, or a setting of a bucket or an object.
    ReadSettings,
    /// Asks what pages of others may do (CORS).
    Preflight,
    /// Writes an object, or copies one.
    Put,
    /// Deletes an object or a version of it.
    Delete,
    /// Deletes the objects that its body names.
    DeleteMany,
    /// Writes the object that a form names.
    Form,
    /// Begins, ends or gives up an upload in parts, or sends a part.
    Upload,
    /// Whatever it is: the origin decides.
    Any,
}

impl Pass {
    /// What it does.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The path, percent-encoded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query.
    pub fn sent(&self) -> &SentQuery {
        &self.sent
    }

    /// The version of the object, where one was asked for.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The same read, not of a part by its number: of what all of its parts belong to.
    #[must_use]
    pub fn without_part(&self) -> Self {
        let mut pass = self.clone();
        if let SentQuery::Only(parameters) = &mut pass.sent {
            parameters.retain(|(name, _)| name != b"partNumber");
        }
        pass
    }

    /// Whether a header field of the client, by its lower-case name, goes to the origin.
    pub fn keeps(&self, name: &str) -> bool {
        self.fields.keeps(name)
    }

    /// The right to a picture made of the object, for who may read the object as it is. `None`: it is no plain read.
    pub fn picture(&self) -> Option<PictureGrant> {
        let path = self.path.clone();
        matches!(self.action, Action::Read).then(|| PictureGrant {
            path,
            version: self.version.clone(),
            overrides: Vec::new(),
        })
    }
}

/// The right to a call for the site's styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StylesGrant(());

/// What was not granted, and why. Its sentence is a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of error.
    pub kind: Kind,
    /// What the client reads.
    pub why: &'static str,
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.kind, refusal.why)
    }
}

/// Extensions of pictures that are negotiated when they are asked for without a rule.
const NEGOTIATED: [&str; 11] = ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif", "avif"];

/// Extensions of pictures besides.
const PICTURES: [&str; 15] = [
    "jpe", "jfif", "pjpeg", "apng", "dib", "avifs", "heics", "heifs", "hif", "jxl", "ico", "cur", "svg", "svgz", "tpg",
];

/// Whether an object is a picture that can be negotiated, by the extension of its name as it stands in a path.
pub fn looks_negotiable(path: &str) -> bool {
    ends_in(path.as_bytes(), &NEGOTIATED)
}

/// Whether an object is a picture, by the extension of its decoded name: `/a.%6Apg` is a JPEG.
fn names_picture(key: &[u8]) -> bool {
    ends_in(key, &NEGOTIATED) || ends_in(key, &PICTURES)
}

fn ends_in(name: &[u8], extensions: &[&str]) -> bool {
    let file = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Some(dot) = file.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &file[dot + 1..];
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}
