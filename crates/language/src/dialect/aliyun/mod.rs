//! Aliyun OSS: `x-oss-process=image/action,key_value/...`, stages joined by `|`.

mod args;
mod crop;
mod effect;
mod encode;
mod errors;
mod info;
pub(super) mod legacy;
mod mark;
mod mark_text;
mod resize;
mod turn;
mod write;

pub(super) use errors::{code, ec, message};
pub(super) use info::body;
pub(super) use write::write;

use self::args::Args;
use super::number::short;
use super::{Dialect, Ignored, OperationDoc, Parsed, Styles, formats, wire};
use crate::error::{Error, Kind};
use crate::plan::{Answer, Ceiling, FactsAsked, Format, Frames, Output, Plan, Step, Target};

/// The parameter.
const KEY: &str = "x-oss-process";

/// The parameter with its equals sign.
pub(super) const KEY_IS: &str = "x-oss-process=";

/// Separators of one rule.
const MAX_PIPES: usize = 5;

/// Actions of one rule. The vendor names no number; real rules have less than ten.
const MAX_ACTIONS: usize = 32;

/// What AVIF holds here: 4096 x 2304.
const MAX_AVIF_PIXELS: u64 = 9_437_184;

/// The code of an AVIF that would be larger.
const AVIF_TOO_LARGE: i32 = 14;

/// What the actions add up to.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    output: Output,
    facts: Option<FactsAsked>,
    /// Something was done that leaves one frame of an animation.
    still: bool,
    /// A mark was drawn that leaves one frame whatever the format.
    stills: bool,
    /// A mark was drawn that leaves all frames of a GIF that stays a GIF.
    moving_marks: bool,
    actions: usize,
    ignored: Ignored,
}

/// One action: everything that is known about it but the code that runs it.
struct Action {
    name: &'static str,
    accepts: &'static str,
    doc: &'static str,
    takes: Takes,
    /// `None`: in the vendor's service, not yet here.
    parse: Option<fn(&mut Draft, &Args<'_>) -> Result<(), Error>>,
}

/// What may stand behind an action's name.
#[derive(Clone, Copy)]
enum Takes {
    /// One value without a key.
    Value,
    /// Values of these keys, and these words alone.
    Keys(&'static [&'static str]),
}

const ACTIONS: &[Action] = &[
    Action {
        name: "resize",
        accepts: "m_lfit|mfit|fill|pad|fixed, w_ h_ l_ s_ 1 to 16384, p_ 1 to 1000, limit_0|1, color_RRGGBB",
        doc: "change the size",
        takes: Takes::Keys(&["m", "w", "h", "l", "s", "p", "limit", "color"]),
        parse: Some(resize::parse),
    },
    Action {
        name: "crop",
        accepts: "w_ h_ x_ y_ pixels, g_nw|north|ne|west|center|east|sw|south|se",
        doc: "cut a rectangle out",
        takes: Takes::Keys(&["w", "h", "x", "y", "g"]),
        parse: Some(crop::parse),
    },
    Action {
        name: "rotate",
        accepts: "0 to 360",
        doc: "turn clockwise",
        takes: Takes::Value,
        parse: Some(turn::rotate),
    },
    Action {
        name: "auto-orient",
        accepts: "0 or 1",
        doc: "apply the EXIF orientation",
        takes: Takes::Value,
        parse: Some(turn::auto_orient),
    },
    Action {
        name: "quality",
        accepts: "q_, Q_ or auto_ 1 to 100, lossless or auto",
        doc: "q: percent of the source's quality; Q: at most this; auto: as few bytes as reach this SSIMULACRA2 (70)",
        takes: Takes::Keys(&["q", "Q", "auto", "lossless"]),
        parse: Some(encode::quality),
    },
    Action {
        name: "format",
        accepts: formats::ALIYUN,
        doc: "the output format; gif keeps a GIF and changes nothing else",
        takes: Takes::Value,
        parse: Some(encode::format),
    },
    Action {
        name: "interlace",
        accepts: "0 or 1",
        doc: "progressive JPEG",
        takes: Takes::Value,
        parse: Some(encode::interlace),
    },
    Action {
        name: "info",
        accepts: "no value, alone",
        doc: "facts as JSON",
        takes: Takes::Keys(&[]),
        parse: Some(info::parse),
    },
    Action {
        name: "circle",
        accepts: "r_ 1 to 4096",
        doc: "a circle about the middle",
        takes: Takes::Keys(&["r"]),
        parse: Some(effect::circle),
    },
    Action {
        name: "rounded-corners",
        accepts: "r_ 1 to 4096",
        doc: "rounded corners",
        takes: Takes::Keys(&["r"]),
        parse: Some(effect::rounded_corners),
    },
    Action {
        name: "indexcrop",
        accepts: "x_ or y_ from 1, i_ from 0",
        doc: "one slice of the picture",
        takes: Takes::Keys(&["x", "y", "i"]),
        parse: Some(effect::indexcrop),
    },
    Action {
        name: "blur",
        accepts: "r_ 1 to 50 and s_ 1 to 50",
        doc: "Gaussian blur",
        takes: Takes::Keys(&["r", "s"]),
        parse: Some(effect::blur),
    },
    Action {
        name: "bright",
        accepts: "-100 to 100",
        doc: "brightness",
        takes: Takes::Value,
        parse: Some(effect::bright),
    },
    Action {
        name: "contrast",
        accepts: "-100 to 100",
        doc: "contrast",
        takes: Takes::Value,
        parse: Some(effect::contrast),
    },
    Action {
        name: "sharpen",
        accepts: "50 to 399",
        doc: "unsharp mask",
        takes: Takes::Value,
        parse: Some(effect::sharpen),
    },
    Action {
        name: "average-hue",
        accepts: "no value, alone",
        doc: "the average colour",
        takes: Takes::Keys(&[]),
        parse: Some(info::average_hue),
    },
    Action {
        name: "watermark",
        accepts: "text_ of 64 bytes and type_ in base64, color_RRGGBB, size_ 1 to 1000, shadow_ 0 to 100, rotate_ 0 to 360; \
                  image_ in base64; order_0|1, align_0|1|2, interval_ 0 to 1000; t_ 0 to 100, g_, x_ y_ 0 to 4096, \
                  voffset_ -1000 to 1000, fill_0|1, padx_ pady_ 0 to 4096",
        doc: "a mark: text, a picture of the bucket, or both",
        takes: Takes::Keys(&[
            "t",
            "g",
            "x",
            "y",
            "voffset",
            "fill",
            "padx",
            "pady",
            "text",
            "type",
            "color",
            "size",
            "shadow",
            "rotate",
            "image",
            "animation",
            "order",
            "align",
            "interval",
        ]),
        parse: Some(mark::parse),
    },
    later("blindwatermark", "invisible watermark"),
    later("deblindwatermark", "reading of an invisible watermark"),
];

const fn later(name: &'static str, doc: &'static str) -> Action {
    Action { name, accepts: "", doc, takes: Takes::Value, parse: None }
}

/// Whether a decoded piece of a query is this dialect's parameter.
pub(super) fn claims(text: &str) -> bool {
    text.strip_prefix(KEY).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
}

/// Reads the parameter. It may stand once.
pub(super) fn parse(pieces: &[&str], styles: &Styles) -> Parsed {
    let draft = draft(pieces, styles).and_then(|mut draft| Ok((draft.finish()?, draft.ignored)));
    match draft {
        Ok((plan, ignored)) => Parsed { plan: Ok(plan), original_on_error: false, ignored },
        Err(error) => Parsed::wrong(error),
    }
}

fn draft(pieces: &[&str], styles: &Styles) -> Result<Draft, Error> {
    let [piece] = pieces else {
        return Err(Error::new(Kind::BadRequest, "x-oss-process stands more than once in the query"));
    };
    let value = piece.strip_prefix(KEY).unwrap_or(piece);
    let value = value.strip_prefix('=').unwrap_or(value).trim_end_matches('=');
    if !wire::is_plain(value) && !value.is_empty() {
        return Err(Error::new(
            Kind::BadRule,
            "the rule holds a blank, a control character or a byte that is not ASCII",
        ));
    }
    let value = styles.expand(value, Dialect::Aliyun)?;
    let pipes = value.bytes().filter(|b| *b == b'|').count();
    if pipes > MAX_PIPES {
        let message = format!("the rule has {pipes} pipes; it may have at most {MAX_PIPES}");
        return Err(Error::new(Kind::BadRule, message).with_code(211));
    }
    let mut draft = Draft::default();
    for stage in value.split('|') {
        draft.stage(stage)?;
    }
    Ok(draft)
}

impl Draft {
    fn stage(&mut self, stage: &str) -> Result<(), Error> {
        let (family, actions) = stage.split_once('/').unwrap_or((stage, ""));
        match family {
            "image" => {}
            "style" => {
                return Err(Error::new(
                    Kind::BadRule,
                    "style/ must be followed by the name of a style; the rule of a style cannot use style/ itself",
                ));
            }
            "sys" => {
                return Err(Error::new(Kind::BadRule, "sys/saveas belongs in the body of a POST, not in a query"));
            }
            "video" | "doc" | "audio" | "hls" => return Err(unsupported(&format!("{family} processing"))),
            other => {
                let message = format!("`{}` is not a kind of processing; a rule begins with image/", short(other));
                return Err(Error::new(Kind::BadRule, message).with_code(213));
            }
        }
        for action in actions.split('/') {
            self.action(action)?;
        }
        Ok(())
    }

    fn action(&mut self, text: &str) -> Result<(), Error> {
        self.actions += 1;
        if self.actions > MAX_ACTIONS {
            let message = format!("the rule has more than {MAX_ACTIONS} actions");
            return Err(Error::new(Kind::BadRule, message).with_code(211));
        }
        let (name, args) = text.split_once(',').map_or((text, None), |(name, args)| (name, Some(args)));
        if name.is_empty() {
            let message = "an action is missing: write image/ACTION,... without empty places between slashes";
            return Err(Error::new(Kind::BadRule, message).with_code(212));
        }
        let action = ACTIONS.iter().find(|action| action.name == name).ok_or_else(|| {
            Error::new(Kind::BadRule, format!("`{}` is not an action of image/", short(name))).with_code(213)
        })?;
        let Some(parse) = action.parse else {
            return Err(unsupported(&format!("image/{name} ({})", action.doc)));
        };
        let args = Args::new(action, args);
        parse(self, &args)?;
        args.note_ignored(&mut self.ignored);
        Ok(())
    }

    fn finish(&mut self) -> Result<Plan, Error> {
        let steps = &mut self.steps;
        let answer = match self.facts {
            Some(facts) if self.actions == 1 => Answer::Facts(facts),
            Some(_) => {
                let message = "image/info and image/average-hue cannot be combined with another action";
                return Err(Error::new(Kind::BadRule, message));
            }
            None => {
                if self.output.target == Target::Fixed(Format::Avif) {
                    steps.push(Step::Ceiling(Ceiling {
                        pixels: MAX_AVIF_PIXELS,
                        side: None,
                        spare_untouched: false,
                        code: Some(AVIF_TOO_LARGE),
                    }));
                }
                let stays_gif = self.output.target == Target::OnlyIfSource(Format::Gif);
                self.still |= self.stills || (self.moving_marks && !stays_gif);
                self.still |= matches!(self.output.target, Target::Fixed(_));
                self.output.frames = if self.still { Frames::First } else { Frames::All };
                Answer::Image(std::mem::take(&mut self.output))
            }
        };
        Ok(Plan { steps: std::mem::take(&mut self.steps), answer, original_on_error: false })
    }
}

fn unsupported(what: &str) -> Error {
    Error::new(Kind::UnsupportedRule, format!("{what} is not available here yet"))
}

/// Every operation, for documentation.
pub(super) fn operations() -> Vec<OperationDoc> {
    ACTIONS
        .iter()
        .map(|action| OperationDoc {
            module: "image",
            name: action.name,
            accepts: action.accepts,
            doc: action.doc,
            available: action.parse.is_some(),
        })
        .collect()
}
