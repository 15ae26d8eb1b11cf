//! What a site understands, and how a request's path and query are read with it.

use super::request_query::{Piece, take_apart};
use super::{Dialect, Recognised, RequestQuery, Styles, aliyun, recognise_in, rule};
use crate::error::{Error, Kind};

/// What a site understands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Language {
    /// The dialects that are recognised.
    pub dialects: Vec<Dialect>,
    /// Rules with a name.
    pub styles: Styles,
    /// Refuse what stands in a rule and changes nothing, where the vendors ignore it in silence.
    pub strict: bool,
    /// Read Aliyun's older syntax, which follows an `@` in the path (aliyun-oss §1.5).
    pub legacy: bool,
}

/// What a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The path of the object: without the style or the older rule that stood at its end.
    pub path: &'a str,
    /// What is to be done with it.
    pub recognised: Recognised,
    /// The request names one style and says nothing else about processing.
    pub by_style: bool,
}

impl Language {
    /// Reads a path as the client sent it, undecoded, and the query after it. Whether what stands at the end of the
    /// path may be a style or an older rule is the caller's to say.
    pub fn read<'a>(&self, path: &'a str, query: &RequestQuery<'_>, path_too: bool) -> Reading<'a> {
        let mut reading = match path_too {
            true => self.lenient(path, query),
            false => self.plain(path, query.pieces().iter()),
        };
        if self.strict
            && let Recognised::Rule { dialect, plan, ignored, .. } = &mut reading.recognised
            && plan.is_ok()
            && let Some(first) = ignored.first()
        {
            let message = format!("{first}; this site refuses what would be ignored");
            let code = (*dialect == Dialect::Tencent).then_some(super::tencent::NOT_UNDERSTOOD);
            *plan = Err(Error::new(Kind::BadRule, message).with_code(code));
        }
        reading
    }

    fn lenient<'a>(&self, path: &'a str, query: &RequestQuery<'_>) -> Reading<'a> {
        if self.legacy
            && self.dialects.contains(&Dialect::Aliyun)
            && let Some((path, chain)) = aliyun::legacy::split(path)
        {
            return match chain.strip_prefix('!') {
                Some(name) => self.joined(path, &self.styles.query(name), query),
                None => Reading { path, recognised: self.legacy(&chain, query), by_style: false },
            };
        }
        match self.styles.split(path) {
            // The rule of a style in the path runs before one in the query.
            Some((path, styled)) => self.joined(path, &styled, query),
            None => self.plain(path, query.pieces().iter()),
        }
    }

    fn joined<'a>(&self, path: &'a str, styled: &str, query: &RequestQuery<'_>) -> Reading<'a> {
        let styled = take_apart(styled);
        self.plain(path, styled.iter().chain(query.pieces()))
    }

    fn plain<'a, 'q>(&self, path: &'a str, pieces: impl Iterator<Item = &'q Piece<'q>> + Clone) -> Reading<'a> {
        let recognised = recognise_in(pieces.clone(), &self.dialects, &self.styles);
        let by_style = matches!(recognised, Recognised::Rule { .. }) && self.styles.only_style(pieces);
        Reading { path, recognised, by_style }
    }

    fn legacy(&self, chain: &str, query: &RequestQuery<'_>) -> Recognised {
        if let Recognised::Rule { .. } = recognise_in(query.pieces().iter(), &self.dialects, &self.styles) {
            let message = "the path ends in a rule after `@` and the query holds another; write one of them";
            return rule(Dialect::Aliyun, super::Parsed::wrong(Error::new(Kind::BadRequest, message)));
        }
        rule(Dialect::Aliyun, aliyun::legacy::parse(chain))
    }
}
