//! One pair: asks both places at once, compares, and draws what browsers cannot show.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use ::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::judge::{Difference, DifferenceKind, PlaceAnswer, judge};
use super::list::UrlPair;
use super::{ReplayArguments, headers, timeout};
use crate::config::EngineConfig;
use crate::engine::{Comparison, Conversion, Engine, Tenant, Urgency};
use crate::error::Error;
use crate::imaging::budget::{self, Pace};
use crate::imaging::compare::{Comparing, Likeness};
use crate::imaging::{Effort, Header, Policy, Preparation, Prepared, Terms, prepare};
use crate::negotiate::Class;
use crate::origin::{Getter, Got};
use crate::plan::{Limits, Plan, geometry};

/// The longest time that comparing two pictures, or drawing one, may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What is shown of a picture that browsers cannot show.
const PREVIEW: &str = "fit,w=1200,h=1200,up=skip|png,first";

/// Both answers to one entry.
pub(super) struct Pair {
    /// What was asked.
    pub entry: UrlPair,
    /// The answer of the first place.
    pub from: PlaceAnswer,
    /// The answer of the second.
    pub against: PlaceAnswer,
    /// Where they differ, the gravest first.
    pub differences: Vec<Difference>,
    /// SSIMULACRA2, where pixels were compared; 100 for equal bytes of a picture.
    pub score: Option<f64>,
    /// The frame that the score is of, and how many were scored.
    pub likeness: Option<Likeness>,
    /// The bodies.
    pub bodies: [Bytes; 2],
}

/// All that a pair needs.
pub(super) struct Comparer {
    getter: Getter,
    engine: Engine,
    /// No more than can run, so that nothing waits in the engine's queue and every deadline is one of work.
    permits: Semaphore,
    from: HeaderMap,
    against: HeaderMap,
    comparing: Comparing,
    min_score: f64,
    max_growth: f64,
    ignore: Vec<DifferenceKind>,
}

impl Comparer {
    pub(super) fn new(arguments: &ReplayArguments) -> Result<Self, String> {
        let text = |error: Error| error.to_string();
        let mut config = EngineConfig { workers: arguments.workers, deadline: DEADLINE, ..EngineConfig::default() };
        // No text is drawn here.
        config.fonts.paths.clear();
        // Where the kernel has no sandbox to offer, a process of its own is still worth having; as for `convert`.
        config.require_sandbox = false;
        // This very binary, even after another was installed in its place.
        let engine = Engine::start(&config, PathBuf::from("/proc/self/exe")).map_err(text)?;
        let permits = Semaphore::new(engine.status().workers.max(1));
        let limits = Limits { source_bytes: arguments.max_body as u64, source_side: 65_535, ..Limits::default() };
        Ok(Self {
            getter: Getter::new(timeout(arguments), arguments.max_body).map_err(text)?,
            engine,
            permits,
            from: headers(&arguments.header, &arguments.from_header),
            against: headers(&arguments.header, &arguments.against_header),
            comparing: Comparing {
                limits,
                policy: Policy { jxl: true, svg: true, ..Policy::default() },
                frames: arguments.frames,
            },
            min_score: arguments.min_score,
            max_growth: arguments.max_growth,
            ignore: arguments.ignore.clone(),
        })
    }

    /// Asks and compares.
    pub(super) async fn pair(&self, entry: UrlPair) -> Pair {
        let mut against = self.against.clone();
        if let Some(host) = entry.host.as_deref().and_then(|host| HeaderValue::from_str(host).ok()) {
            against.insert(header::HOST, host);
        }
        let first = async {
            match &entry.from {
                Ok(url) => self.ask(url, &self.from).await,
                Err(message) => (Err(Error::new(crate::error::Kind::BadRequest, message.clone())), 0),
            }
        };
        let ((one, one_ms), (other, other_ms)) = tokio::join!(first, self.ask(&entry.against, &against));
        let (from, against) = (PlaceAnswer::of(&one, one_ms), PlaceAnswer::of(&other, other_ms));
        let bodies = [one, other].map(|answer| answer.map(|got| got.body).unwrap_or_default());
        let [a, b] = &bodies;
        let (mut differences, pixels) = judge((&from, a), (&against, b), self.max_growth);
        let mut likeness = None;
        if let (true, Some(one), Some(other)) = (pixels, &from.header, &against.header) {
            match self.compare((a, one), (b, other)).await {
                Ok(found) => {
                    if found.score < self.min_score {
                        differences
                            .push(Difference { kind: DifferenceKind::Pixels, detail: told(&found, self.min_score) });
                    }
                    likeness = Some(found);
                }
                Err(error) => {
                    differences.push(Difference { kind: DifferenceKind::Pixels, detail: error.told().to_owned() })
                }
            }
        }
        differences.retain(|difference| !self.ignore.contains(&difference.kind));
        differences.sort_by_key(|difference| difference.kind);
        let equal = from.format.is_some() && a == b;
        let score = likeness.as_ref().map(|found| found.score).or(equal.then_some(100.0));
        Pair { entry, from, against, differences, score, likeness, bodies }
    }

    async fn ask(&self, url: &str, headers: &HeaderMap) -> (Result<Got, Error>, u64) {
        let began = Instant::now();
        let answer = self.getter.get(url, headers).await;
        (answer, u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    async fn compare(&self, one: (&Bytes, &Header), other: (&Bytes, &Header)) -> Result<Likeness, Error> {
        for (name, (_, header)) in [("the first", one), ("the second", other)] {
            geometry::check_source(&header.source, &self.comparing.limits).map_err(|error| error.about(name))?;
        }
        let digest = Sha256::new().chain_update(one.0).chain_update(other.0).finalize().into();
        let cost = budget::compare_cost(one.1, other.1, self.comparing.frames);
        let (first, second, comparing) = (one.0.clone(), other.0.clone(), self.comparing.clone());
        let _permit = self.permits.acquire().await;
        let deadline = Instant::now() + DEADLINE;
        self.engine.compare(Comparison { first, second, digest, comparing, cost, deadline }).await
    }

    /// A PNG of what a picture shows, or nothing where it cannot be drawn.
    pub(super) async fn preview(&self, body: &Bytes, header: &Header) -> Option<Bytes> {
        let plan: Plan = PREVIEW.parse().ok()?;
        let terms = Terms {
            limits: self.comparing.limits,
            policy: self.comparing.policy,
            offered: &[],
            advanced_compression: true,
            writable: self.engine.writable(),
        };
        let prepared = prepare(Preparation {
            plan: &plan,
            class: Class::default(),
            header,
            source: Some(body),
            marks: Ok(&[]),
            terms,
            pace: Pace { effort: Effort::Interactive, budget_ms: 0 },
        });
        let Prepared { job, cost, expected, .. } = prepared.ok()?;
        let _permit = self.permits.acquire().await;
        let conversion = Conversion {
            source: body.clone(),
            marks: Vec::new(),
            digest: Sha256::digest(body).into(),
            job,
            expected,
            tenant: Tenant::default(),
            cost,
            deadline: Instant::now() + DEADLINE,
            urgency: Urgency::Batch,
        };
        self.engine.convert(conversion).await.ok().map(|converted| converted.bytes)
    }
}

fn told(found: &Likeness, least: f64) -> String {
    let frame = if found.frames > 1 { format!(" in frame {}", found.frame) } else { String::new() };
    format!("SSIMULACRA2 is {:.1}{frame}, below {least}", found.score)
}
