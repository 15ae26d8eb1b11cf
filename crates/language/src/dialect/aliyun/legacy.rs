//! The older syntax of the image domains: `/key@100w_100h.jpg`, `/key@!NAME`, `/key@watermark=2&text=...` (aliyun-oss §1.5).
//!
//! It is read by writing it in the language of today, in the fixed order that the older pages give, whatever the order of
//! its words. Three defaults are the other way around: a picture may be enlarged, the result is a JPEG, and what was
//! transparent turns black in it.

use percent_encoding::percent_decode_str;

use super::super::number::{decimal, short, whole};
use super::super::wire::base64;
use super::{Draft, Ignored, Parsed, unsupported};
use crate::dialect::mark::encode;
use crate::error::{Error, Kind};
use crate::plan::{Answer, Format, Frames, Plan, Rgb, Target};

/// Stages joined by pipes, and the code of more.
const MAX_STAGES: usize = 4;
const TOO_MANY_STAGES: i32 = 211;
/// The codes of a value that is none, and of a word that nobody knows.
const BAD_VALUE: i32 = 201;
const UNKNOWN: i32 = 213;
const BAD_FORMAT: i32 = 206;

/// Words of one stage; each has its meaning once.
const MAX_WORDS: usize = 32;

/// The nine points by their number, 1 to 9 along the rows.
const POINTS: [&str; 9] = ["nw", "north", "ne", "west", "center", "east", "sw", "south", "se"];

/// Splits the older rule off the end of a path: the key's path, and the rule, decoded. `None` where what stands after the
/// last `@` of the last segment can be no rule: then it belongs to the key.
pub(in crate::dialect) fn split(raw_path: &str) -> Option<(&str, String)> {
    let plain = raw_path.rfind('@').map(|at| (at, at + 1));
    let escaped = raw_path.rfind("%40").map(|at| (at, at + 3));
    let (end, start) = plain.max(escaped)?;
    let (key, rest) = (&raw_path[..end], &raw_path[start..]);
    if key.is_empty() || key.ends_with('/') || rest.contains('/') {
        return None;
    }
    let rule = percent_decode_str(rest).decode_utf8().ok()?;
    let words = ["-", "watermark=", "lossless"];
    let begins_as_one = match rule.strip_prefix('!') {
        // Nothing but a name: what stands there goes into a query.
        Some(name) => name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
        None => starts_with_digit(&rule) || words.iter().any(|word| rule.starts_with(word)),
    };
    (begins_as_one && rule.len() > 1).then(|| (key, rule.into_owned()))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// Reads the rule, which is no style.
pub(in crate::dialect) fn parse(rule: &str) -> Parsed {
    let mut draft = Draft::default();
    match plan(rule, &mut draft) {
        Ok(plan) => Parsed { plan: Ok(plan), original_on_error: false, ignored: draft.ignored },
        Err(error) => Parsed::wrong(error),
    }
}

fn plan(rule: &str, draft: &mut Draft) -> Result<Plan, Error> {
    // What follows the point of a number is no extension.
    let (chain, extension) =
        rule.rsplit_once('.').filter(|(_, after)| !starts_with_digit(after)).unwrap_or((rule, "jpg"));
    let target = match extension {
        "jpg" | "jpeg" => Target::Fixed(Format::Jpeg),
        "png" => Target::Fixed(Format::Png),
        "webp" => Target::Fixed(Format::WebP),
        "bmp" => Target::Fixed(Format::Bmp),
        // The source's own format, which nobody negotiates away.
        "gif" | "src" => Target::OnlyIfSource(Format::Gif),
        other => {
            let message = format!("`.{}` is no format after `@`: jpg, png, webp, bmp, gif or src", short(other));
            return Err(Error::new(Kind::BadRule, message).with_code(BAD_FORMAT));
        }
    };
    let stages: Vec<&str> = chain.split('|').collect();
    if stages.len() > MAX_STAGES {
        let message = format!("the rule after `@` has {} stages; it may have at most {MAX_STAGES}", stages.len());
        return Err(Error::new(Kind::BadRule, message).with_code(TOO_MANY_STAGES));
    }
    let (mut moves, mut ground) = (false, Rgb { r: 0, g: 0, b: 0 });
    for stage in stages {
        if stage.starts_with("watermark=") {
            draft.action(&watermark(stage)?)?;
            continue;
        }
        let words = Words::read(stage, &mut draft.ignored)?;
        for action in words.actions()? {
            draft.action(&action)?;
        }
        moves |= words.switch("an")?;
        if words.switch("wh")? {
            ground = Rgb::WHITE;
        }
    }
    let mut output = std::mem::take(&mut draft.output);
    output.target = target;
    output.frames = if moves { Frames::All } else { Frames::First };
    if target == Target::Fixed(Format::Jpeg) {
        output.ground = ground;
    }
    Ok(Plan { steps: std::mem::take(&mut draft.steps), answer: Answer::Image(output), original_on_error: false })
}

/// The words of a stage: a value first, then a name. Of a name that stands twice the last counts.
struct Words<'a>(Vec<(&'a str, &'a str)>);

const NAMES: [&str; 22] = [
    "w", "h", "e", "l", "c", "p", "x", "bgc", "a", "rc", "ci", "bl", "b", "d", "sh", "r", "o", "q", "Q", "pr", "wh",
    "an",
];

impl<'a> Words<'a> {
    fn read(stage: &'a str, ignored: &mut Ignored) -> Result<Self, Error> {
        let mut words: Vec<(&str, &str)> = Vec::new();
        for text in stage.split('_') {
            let value = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let (value, name) = match text.strip_prefix("lossless") {
                Some(name) => ("lossless", name),
                None => (value, &text[value.len()..]),
            };
            if !NAMES.contains(&name) || words.len() >= MAX_WORDS {
                let message =
                    format!("`{}` is no word of a rule after `@`; write 100w_200h, 90Q and the like", short(text));
                return Err(Error::new(Kind::BadRule, message).with_code(UNKNOWN));
            }
            if words.iter().any(|(_, other)| *other == name) {
                ignored.note(|| format!("{name} stands more than once after `@`, of which the last counts"));
                words.retain(|(_, other)| *other != name);
            }
            words.push((value, name));
        }
        Ok(Self(words))
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(_, other)| *other == name).map(|(value, _)| *value)
    }

    fn number(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> Result<Option<u64>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let (least, most) = (*range.start(), *range.end());
        let wrong = || bad(name, text, &format!("{least} to {most}"));
        whole(text).filter(|number| range.contains(number)).map(Some).ok_or_else(wrong)
    }

    fn switch(&self, name: &str) -> Result<bool, Error> {
        Ok(self.number(name, 0..=1)? == Some(1))
    }

    /// Whole numbers between dashes, as many as there have to be.
    fn numbers<const N: usize>(&self, name: &str, form: &str) -> Result<Option<[u64; N]>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let list: Option<Vec<u64>> = text.split('-').map(whole).collect();
        let list = list.and_then(|list| <[u64; N]>::try_from(list).ok());
        list.map(Some).ok_or_else(|| bad(name, text, form))
    }

    /// What they mean, in the language of today.
    fn actions(&self) -> Result<Vec<String>, Error> {
        let mut actions = Vec::new();
        let orient = self.number("o", 0..=2)?;
        if orient == Some(2) {
            actions.push("auto-orient,1".to_owned());
        }
        self.sizes(&mut actions)?;
        if orient == Some(1) {
            actions.push("auto-orient,1".to_owned());
        }
        self.cuts(&mut actions)?;
        if let Some(degrees) = self.number("r", 0..=360)? {
            actions.push(format!("rotate,{degrees}"));
        }
        if let Some([radius, sigma]) = self.numbers("bl", "<radius>-<sigma>")? {
            actions.push(format!("blur,r_{radius},s_{sigma}"));
        }
        for (name, action) in [("b", "bright"), ("d", "contrast"), ("sh", "sharpen")] {
            actions.extend(self.get(name).map(|value| format!("{action},{value}")));
        }
        match (self.get("Q"), self.get("q")) {
            (Some("lossless"), _) | (None, Some("lossless")) => actions.push("quality,lossless".to_owned()),
            (Some(value), _) => actions.push(format!("quality,Q_{value}")),
            (None, Some(value)) => actions.push(format!("quality,q_{value}")),
            (None, None) => {}
        }
        if self.switch("pr")? {
            actions.push("interlace,1".to_owned());
        }
        Ok(actions)
    }

    fn sizes(&self, actions: &mut Vec<String>) -> Result<(), Error> {
        let (w, h) = (self.number("w", 1..=4096)?, self.number("h", 1..=4096)?);
        let mode = match (self.switch("c")?, self.number("e", 0..=4)?) {
            (true, _) => "fill",
            (false, None | Some(0)) => "lfit",
            (false, Some(1)) => "mfit",
            (false, Some(2)) => "fixed",
            (false, Some(4)) => "pad",
            (false, Some(_)) => return Err(bad("e", self.get("e").unwrap_or_default(), "0, 1, 2 or 4")),
        };
        let color = match self.numbers::<3>("bgc", "<red>-<green>-<blue>, 0 to 255 each")? {
            Some(rgb) if rgb.iter().all(|part| *part <= 255) => {
                format!(",color_{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2])
            }
            Some(_) => return Err(bad("bgc", self.get("bgc").unwrap_or_default(), "0 to 255 each")),
            None => String::new(),
        };
        let limit = u8::from(self.switch("l")?);
        if w.or(h).is_some() {
            let side = |name: &str, side: Option<u64>| side.map(|side| format!(",{name}_{side}")).unwrap_or_default();
            actions.push(format!("resize,m_{mode}{}{},limit_{limit}{color}", side("w", w), side("h", h)));
        }
        if let Some(percent) = self.number("p", 1..=1000)? {
            actions.push(format!("resize,p_{percent}"));
        }
        if let Some(text) = self.get("x") {
            // Tenths are seen in the wild.
            let percent = decimal(text, 2).filter(|percent| (1..=1000).contains(percent));
            actions.push(format!("resize,p_{}", percent.ok_or_else(|| bad("x", text, "a factor of 0.01 to 10"))?));
        }
        Ok(())
    }

    fn cuts(&self, actions: &mut Vec<String>) -> Result<(), Error> {
        if let Some([x, y, w, h]) = self.numbers("a", "<x>-<y>-<width>-<height>")? {
            actions.push(format!("crop,x_{x},y_{y},w_{w},h_{h}"));
        }
        if let Some(text) = self.get("rc") {
            let form = "<width>x<height>-<1 to 9>";
            let region = || {
                let (size, point) = text.split_once('-')?;
                let (w, h) = size.split_once('x')?;
                let side = |text: &str| if text.is_empty() { Some(0) } else { whole(text).filter(|n| *n <= 4096) };
                let point = whole(point).and_then(|point| usize::try_from(point).ok())?;
                Some((side(w)?, side(h)?, *POINTS.get(point.checked_sub(1)?)?))
            };
            let (w, h, point) = region().ok_or_else(|| bad("rc", text, form))?;
            actions.push(format!("crop,w_{w},h_{h},g_{point}"));
        }
        match self.numbers("ci", "<radius>-<0, 1 or 2>")? {
            None => {}
            Some([radius, 1]) => actions.push(format!("circle,r_{radius}")),
            Some([radius, 2]) => actions.push(format!("rounded-corners,r_{radius}")),
            Some([_, 0]) => return Err(unsupported("a circle on the whole canvas (<radius>-0ci)")),
            Some(_) => return Err(bad("ci", self.get("ci").unwrap_or_default(), "<radius>-<0, 1 or 2>")),
        }
        Ok(())
    }
}

/// A mark: `watermark=1&object=...` or `watermark=2&text=...`.
fn watermark(stage: &str) -> Result<String, Error> {
    let mut action = String::from("watermark");
    for pair in stage.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.trim_end_matches('=');
        // Nothing that would end the value in the language of today.
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_+".contains(&byte)) {
            return Err(bad(key, value, "letters, digits, dashes and underscores"));
        }
        let wrong = |takes: &str| bad(key, value, takes);
        match key {
            "watermark" if matches!(value, "1" | "2") => {}
            "watermark" => return Err(wrong("1 (a picture) or 2 (text)")),
            "object" => action.push_str(&format!(",image_{}", object(value)?)),
            "color" => {
                let hex = base64(value).and_then(|bytes| String::from_utf8(bytes).ok());
                let hex =
                    hex.as_deref().and_then(|text| text.strip_prefix('#')).filter(|hex| Rgb::from_hex(hex).is_some());
                action.push_str(&format!(",color_{}", hex.ok_or_else(|| wrong("base64 of #RRGGBB"))?));
            }
            "p" => {
                let number = whole(value).and_then(|number| usize::try_from(number).ok());
                let point = number.and_then(|number| POINTS.get(number.checked_sub(1)?));
                action.push_str(&format!(",g_{}", point.ok_or_else(|| wrong("1 to 9"))?));
            }
            "s" => action.push_str(&format!(",shadow_{value}")),
            "text" | "type" | "size" | "t" | "x" | "y" | "voffset" => action.push_str(&format!(",{key}_{value}")),
            _ => {
                let message = format!("`{}` is no key of a watermark after `@`", short(key));
                return Err(Error::new(Kind::BadRule, message).with_code(UNKNOWN));
            }
        }
    }
    Ok(action)
}

/// `panda.png@30P`, in base64, to what it is today.
fn object(value: &str) -> Result<String, Error> {
    let wrong = || bad("object", value, "base64 of a key, with @<percent>P where it is measured by the picture");
    let text = base64(value).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(wrong)?;
    let Some((key, percent)) = text.rsplit_once('@') else { return Ok(value.to_owned()) };
    let percent = percent.strip_suffix('P').filter(|digits| whole(digits).is_some()).ok_or_else(wrong)?;
    Ok(encode(&format!("{key}?{}image/resize,P_{percent}", super::KEY_IS)))
}

fn bad(name: &str, value: &str, takes: &str) -> Error {
    let message =
        format!("The value: {} of parameter: {} is invalid. After `@` it takes {takes}.", short(value), short(name));
    Error::new(Kind::BadRule, message).with_code(BAD_VALUE)
}
