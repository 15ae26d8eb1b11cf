//! The vendors' interfaces for styles: `?style` with XML bodies (tencent-ci §1.8), `?style&styleName=NAME` (aliyun-oss §5).
//! Requests to data, data to answers.

use super::{Dialect, StyleInfo};
use crate::access::Query;
use crate::dates::http_date_of;
use crate::error::{Error, Kind};
use crate::xml::{DECLARATION, element, walk};

/// The most bytes of a request's body that are read.
pub const MOST_BODY_BYTES: usize = 64 << 10;

/// Characters that Aliyun refuses in a style.
const NOT_IN_CONTENT: [char; 7] = [';', '(', ')', '\'', '*', '?', ' '];
const BAD_CONTENT: i32 = 602;

/// What is to be done with the styles of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StyleCall {
    /// Keep this one; another of its name is replaced.
    Put {
        /// Its name.
        name: String,
        /// Its rule.
        rule: String,
    },
    /// Tell of this one.
    Get(String),
    /// Tell of all.
    List,
    /// Forget this one.
    Delete(String),
}

/// Whose interface a request belongs to: a body that begins as Tencent's do says so, `styleName` says Aliyun's. A plain
/// `GET ?style` is Aliyun's where that is spoken.
pub fn dialect(query: &Query, body: &[u8], enabled: &[Dialect]) -> Option<Dialect> {
    let tencent = ["<AddStyle", "<GetStyle", "<DeleteStyle"];
    let says = |start: &str| body.windows(start.len()).any(|window| window == start.as_bytes());
    let named = query.has("styleName");
    let wanted = match !named && tencent.into_iter().any(says) {
        true => Dialect::Tencent,
        false if named || enabled.contains(&Dialect::Aliyun) => Dialect::Aliyun,
        false => Dialect::Tencent,
    };
    enabled.contains(&wanted).then_some(wanted)
}

/// Reads a request.
///
/// # Errors
/// [`Kind::MethodNotAllowed`]; [`Kind::BadRequest`] for a body that is not as it should be or a name that is missing.
pub fn read(dialect: Dialect, method: &str, query: &Query, body: &[u8]) -> Result<StyleCall, Error> {
    let bad = |what: String| Error::new(Kind::BadRequest, what);
    let inside = |document: &str, field: &str| -> Result<Option<String>, Error> {
        let mut found = None;
        walk(body, |path, text| {
            if let ([root, name], Some(text)) = (path, text)
                && *root == document
                && *name == field
            {
                found = Some(text.trim().to_owned());
            }
        })
        .map_err(|what| bad(format!("the body of a request for styles: {what}")))?;
        Ok(found.filter(|text| !text.is_empty()))
    };
    let needed = |document: &str, field: &str| -> Result<String, Error> {
        inside(document, field)?.ok_or_else(|| bad(format!("the body needs <{document}><{field}>")))
    };
    let not_allowed = || {
        let message = format!("{method} is no request for styles; take PUT, GET or DELETE");
        Err(Error::new(Kind::MethodNotAllowed, message))
    };
    match (dialect, method) {
        (Dialect::Tencent, "PUT") => {
            Ok(StyleCall::Put { name: needed("AddStyle", "StyleName")?, rule: needed("AddStyle", "StyleBody")? })
        }
        (Dialect::Tencent, "GET") if body.is_empty() => Ok(StyleCall::List),
        (Dialect::Tencent, "GET") => Ok(inside("GetStyle", "StyleName")?.map_or(StyleCall::List, StyleCall::Get)),
        (Dialect::Tencent, "DELETE") => Ok(StyleCall::Delete(needed("DeleteStyle", "StyleName")?)),
        (Dialect::Aliyun, method) => {
            let name = query.text("styleName").filter(|name| !name.is_empty());
            let named = || name.clone().ok_or_else(|| bad("the parameter styleName is missing".into()));
            match method {
                "PUT" => {
                    let (name, rule) = (named()?, needed("Style", "Content")?);
                    if rule.contains(NOT_IN_CONTENT) {
                        let message = "Style content is invalid. It holds a blank or one of ; ( ) ' * ?";
                        return Err(bad(message.into()).with_code(BAD_CONTENT));
                    }
                    Ok(StyleCall::Put { name, rule })
                }
                "GET" => Ok(name.map_or(StyleCall::List, StyleCall::Get)),
                "DELETE" => Ok(StyleCall::Delete(named()?)),
                _ => not_allowed(),
            }
        }
        (Dialect::Tencent, _) => not_allowed(),
    }
}

/// Status and body of the answer to a call that has been carried out, `styles` being what was asked for.
pub fn answer(dialect: Dialect, call: &StyleCall, styles: &[StyleInfo<'_>]) -> (u16, String) {
    let mut text = DECLARATION.to_owned();
    match (call, dialect) {
        (StyleCall::Put { .. }, _) => return (200, String::new()),
        (StyleCall::Delete(_), Dialect::Tencent) => return (200, String::new()),
        (StyleCall::Delete(_), Dialect::Aliyun) => return (204, String::new()),
        (StyleCall::Get(_) | StyleCall::List, Dialect::Tencent) => {
            text.push_str("<StyleList>");
            for style in styles {
                text.push_str("<StyleRule>");
                element(&mut text, "StyleName", style.name);
                element(&mut text, "StyleBody", style.rule);
                text.push_str("</StyleRule>");
            }
            text.push_str("</StyleList>\n");
        }
        (StyleCall::Get(_), Dialect::Aliyun) => styles.iter().for_each(|style| aliyun_style(&mut text, style)),
        (StyleCall::List, Dialect::Aliyun) => {
            text.push_str("<StyleList>");
            styles.iter().for_each(|style| aliyun_style(&mut text, style));
            text.push_str("</StyleList>\n");
        }
    }
    (200, text)
}

/// A style of the configuration has no times of its own: it is as old as time.
fn aliyun_style(text: &mut String, style: &StyleInfo<'_>) {
    let date = |seconds: i64| http_date_of(seconds).unwrap_or_else(|| "-".into());
    let (created, modified) = style.times.unwrap_or_default();
    text.push_str("<Style>");
    element(text, "Name", style.name);
    element(text, "Content", style.rule);
    element(text, "Category", "image");
    element(text, "CreateTime", &date(created));
    element(text, "LastModifyTime", &date(modified));
    text.push_str("</Style>");
}
