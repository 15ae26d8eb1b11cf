//! Black box over the rooms that belong together: query to plan, plan and source to size, format and error.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod aliyun_table;
mod answers;
mod legacy;
mod marks;
mod strict;
mod styles;
mod tencent_table;
mod translate;
mod wire_forms;

use super::*;
use crate::negotiate::{Class, choose};
use crate::plan::geometry::{check_source, lay_out};
use crate::plan::{Format, Limits, Source};

/// What a client would get: width, height, frames and format, or the error.
type Got = Result<(u32, u32, u32, Format), Error>;

fn still(format: Format, width: u32, height: u32) -> Source {
    Source { format, width, height, orientation: 1, frames: 1, alpha: false }
}

/// The plan of a query.
fn plan(query: &str) -> Result<Plan, Error> {
    match recognise(query, &Dialect::ALL, &Styles::default()) {
        Recognised::Rule { plan, .. } => plan,
        Recognised::None => panic!("no rule in {query}"),
    }
}

/// The canonical text of a query.
fn canonical(query: &str) -> String {
    plan(query).map_or_else(|error| format!("{error} ({:?})", error.code), |plan| plan.to_string())
}

/// What holds where nobody has configured anything.
fn limits() -> Limits {
    Limits::default()
}

fn run(query: &str, source: &Source) -> Got {
    let plan = plan(query)?;
    check_source(source, &limits())?;
    let writable = |format| !matches!(format, Format::Tpg | Format::Svg | Format::Jxl | Format::Ico);
    let output = plan.output().expect("a picture");
    let format = choose(output, source, Class::default(), &[], &writable, &|_| true)?;
    let layout = lay_out(&plan, source, format, &limits())?;
    Ok((layout.width, layout.height, layout.frames, format))
}
