//! From one vendor's language into the other's, by way of the plan: text → plan → text. What was written is read again,
//! and unless it means the same, it is no translation.

pub use super::missing::Missing;
use super::{Dialect, Styles, aliyun, recognise, tencent};
use super::{Recognised, wire};
use crate::plan::{Answer, Assumption, FactsAsked, Plan, Step, Subject};

/// A rule in the other language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The rule as a bare text: `imageMogr2/...` or `image/...`.
    pub rule: String,
    /// What of the given assumptions the two rules are equal under; empty: under none.
    pub assumed: Vec<Assumption>,
    /// What has to be known about it by whoever uses it.
    pub notes: Vec<String>,
}

impl Missing {
    /// What is missing, in the words of the language that it came from, and why.
    pub fn told(&self, from: Dialect) -> String {
        let Some(part) = &self.part else { return self.why.clone() };
        let words = match write_rule(from, part) {
            Ok(rule) => rule,
            Err(_) => part.to_string(),
        };
        format!("{words}: {}", self.why)
    }
}

/// Writes a plan in a vendor's words, as a bare rule. What is written is the closest that the language has; whether it
/// means the same is for [`translate`] to see.
///
/// # Errors
/// Everything that the language has no words for.
pub fn write_rule(dialect: Dialect, plan: &Plan) -> Result<String, Vec<Missing>> {
    match dialect {
        Dialect::Tencent => tencent::write(plan),
        Dialect::Aliyun => aliyun::write(plan),
    }
}

/// Translates a normalised plan. It holds where the `given` assumptions hold, and for every original if there are none.
///
/// # Errors
/// Everything that has no counterpart; or else what the closest rule differs in, with the assumptions under which it
/// would not.
pub fn translate(plan: &Plan, to: Dialect, given: &[Assumption]) -> Result<Translation, Vec<Missing>> {
    let mut notes = notes(plan, to)?;
    let rule = write_rule(to, plan)?;
    let read = match read(&rule, to) {
        Ok(read) => read,
        Err(message) => {
            let why = format!("it would be written `{rule}`, which is not accepted there: {message}");
            return Err(vec![Missing::whole(why)]);
        }
    };
    let sets = subsets();
    // The smallest set of what was given, so that no more is assumed than has to be.
    let granted = sets.iter().find(|set| set.iter().all(|one| given.contains(one)) && equal(plan, &read, set));
    if let Some(assumed) = granted {
        let assumed = assumed.clone();
        notes.extend(assumed.iter().map(|one| format!("holds if {} (--assume {})", one.meaning(), one.name())));
        return Ok(Translation { rule, assumed, notes });
    }
    Err(vec![Missing::whole(match sets.iter().find(|set| equal(plan, &read, set)) {
        Some(set) => {
            let names: Vec<_> = set.iter().map(|one| one.name()).collect();
            let meanings: Vec<_> = set.iter().map(|one| one.meaning()).collect();
            let differences = differences(plan, &read, given);
            format!(
                "`{rule}` is the closest, and the same only if {} (say so with --assume {}): {differences}",
                meanings.join(" and "),
                names.join(",")
            )
        }
        None => format!("`{rule}` is the closest, and means something else: {}", differences(plan, &read, given)),
    })])
}

/// What both plans amount to.
fn equal(one: &Plan, other: &Plan, given: &[Assumption]) -> bool {
    let plain = |plan: &Plan| hostless(plan.clone()).assuming(given);
    plain(one) == plain(other)
}

/// A mark's host says only that it is of the same bucket, which a key says by itself.
fn hostless(mut plan: Plan) -> Plan {
    for step in &mut plan.steps {
        let Step::Mark(mark) = step else { continue };
        if let Subject::Image(image) | Subject::Both { image, .. } = &mut mark.subject {
            image.host = None;
        }
    }
    plan
}

/// The steps and settings of both that are not in the other.
fn differences(here: &Plan, there: &Plan, given: &[Assumption]) -> String {
    let texts = |plan: &Plan| {
        let plan = hostless(plan.clone()).assuming(given);
        let mut texts: Vec<String> = plan.steps.iter().map(Step::to_string).collect();
        texts.push(Plan { steps: Vec::new(), ..plan }.to_string().trim_start_matches('|').to_owned());
        texts
    };
    let (here, there) = (texts(here), texts(there));
    let only = |these: &[String], those: &[String]| {
        let list: Vec<&str> = these.iter().filter(|text| !those.contains(text)).map(String::as_str).collect();
        if list.is_empty() { "nothing".to_owned() } else { list.join("; ") }
    };
    format!("here {}, there {}", only(&here, &there), only(&there, &here))
}

/// Every set of assumptions, small ones first.
fn subsets() -> Vec<Vec<Assumption>> {
    let mut sets = vec![Vec::new()];
    for one in Assumption::ALL {
        let with: Vec<Vec<Assumption>> = sets.iter().map(|set| [set.as_slice(), &[one]].concat()).collect();
        sets.extend(with);
    }
    sets.sort_by_key(Vec::len);
    sets
}

fn read(rule: &str, dialect: Dialect) -> Result<Plan, String> {
    match recognise(&as_query(dialect, rule), &[dialect], &Styles::default()) {
        Recognised::Rule { plan, .. } => plan.map_err(|error| error.message),
        Recognised::None => Err("it is not a rule".into()),
    }
}

/// Facts have the same meaning and other shapes: their readers have to know.
fn notes(plan: &Plan, to: Dialect) -> Result<Vec<String>, Vec<Missing>> {
    let Answer::Facts(facts) = plan.answer else { return Ok(Vec::new()) };
    let average = FactsAsked { average: true, ..FactsAsked::default() };
    if facts == average {
        let shape = match to {
            Dialect::Aliyun => "the answer is the text 0xRRGGBB, not JSON",
            Dialect::Tencent => "the answer is JSON, {\"RGB\":\"0xRRGGBB\"}, not a bare text",
        };
        return Ok(vec![shape.to_owned()]);
    }
    let why = match to {
        Dialect::Aliyun => "aliyun's image/info answers with other members in another shape",
        Dialect::Tencent => "tencent's imageInfo and exif answer with other members in another shape",
    };
    Err(vec![Missing { part: Some(plan.clone()), why: why.into() }])
}

/// A bare rule as a piece of a query, escaped where a URL needs it.
pub fn as_query(dialect: Dialect, rule: &str) -> String {
    let rule = wire::escape_rule(rule);
    match dialect {
        Dialect::Tencent => rule,
        Dialect::Aliyun => format!("{}{rule}", aliyun::KEY_IS),
    }
}
