//! What a request is told of sites that are replaced while it is read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::config::{self, Loaded};
use crate::plan::policy::Carry;
use crate::site::Sites;

const HOST: &str = "shop.example";

/// Everything that may differ between two configurations does, and each by its own: a mixture would be seen.
fn configuration(
    [name, style, formats, side, metadata, write, overrides, protect, fresh, folder, own_host]: [&str; 11],
) -> Sites {
    let text = format!(
        "[[site]]\nname = \"{name}\"\nhosts = [\"{HOST}\", \"{own_host}\"]\norigin = {{ kind = \"dir\", path = \"{folder}\" }}\n\
         negotiate = {{ formats = {formats} }}\nlimits = {{ max_output_side = {side} }}\nimaging = {{ metadata = \"{metadata}\" }}\n\
         access = {{ anonymous_write = {write}, anonymous_overrides = {overrides} }}\ncache = {{ fresh = \"{fresh}\" }}\n\
         [site.styles]\nseparators = \"!\"\nprotect = {protect}\nrules = {{ s = \"{style}\" }}\n"
    );
    let loaded = Loaded { config: config::parse(&text).unwrap(), base: PathBuf::from(env!("CARGO_MANIFEST_DIR")) };
    Sites::build(&loaded).unwrap()
}

fn old() -> Sites {
    configuration([
        "old",
        "imageMogr2/thumbnail/11x",
        "[\"avif\"]",
        "111",
        "nothing",
        "false",
        "false",
        "false",
        "11s",
        "src",
        "old.example",
    ])
}

fn new() -> Sites {
    configuration([
        "new",
        "image/resize,w_22",
        "[\"webp\"]",
        "222",
        "exif",
        "true",
        "true",
        "true",
        "22s",
        "conf",
        "new.example",
    ])
}

fn head(method: &str, target: &str) -> RequestHeader {
    let mut head = RequestHeader::build(method, target.as_bytes(), None).unwrap();
    head.insert_header("accept", "image/avif,image/webp").unwrap();
    head
}

/// All that the beginning of a request decides.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    site: String,
    dialect: Option<Dialect>,
    plan: String,
    class: String,
    object: String,
    settings: String,
    /// Whether a plain read, and one by a rule of the client's own, is allowed.
    open: [bool; 2],
}

/// One request from its host on, as the proxy begins it.
fn begin(sites: &CurrentSites) -> Seen {
    let site = site(HOST, sites).unwrap();
    let by_style = head("GET", "/a.jpg!s");
    let Ok(Incoming::Image(image)) = read(&by_style, target(&by_style.uri), &site) else {
        panic!("a picture by its style")
    };
    let open = ["/a.jpg", "/a.jpg?imageMogr2/rotate/90"].map(|wanted| {
        let head = head("GET", wanted);
        read(&head, target(&head.uri), &site).is_ok()
    });
    let question = image.question;
    let settings = (site.opens(), question.site.limits.output_side, question.site.imaging.metadata, site.cache.fresh);
    Seen {
        site: site.name.to_string(),
        dialect: image.dialect,
        plan: question.canonical.to_string(),
        class: format!("{:?}", question.class),
        object: format!("{:?} {:?}", question.object, question.site.origin),
        settings: format!("{settings:?}"),
        open,
    }
}

#[test]
fn every_request_sees_one_configuration_whole() {
    let wholes = [old, new].map(|configuration| begin(&CurrentSites::new(configuration())));
    let [one, other] = &wholes;
    assert_eq!((one.site.as_str(), one.open), ("old", [true, true]));
    assert_eq!((other.site.as_str(), other.open), ("new", [false, false]));
    let differ = [
        one.plan != other.plan,
        one.dialect != other.dialect,
        one.class != other.class,
        one.object != other.object,
        one.settings != other.settings,
    ];
    assert_eq!(differ, [true; 5], "a mixture could not be told from a whole: {wholes:?}");

    let sites = CurrentSites::new(old());
    let (enough, requests) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !enough.load(Ordering::Relaxed) {
                    let seen = begin(&sites);
                    let Some(which) = wholes.iter().position(|whole| *whole == seen) else {
                        enough.store(true, Ordering::Relaxed);
                        panic!("neither the old configuration nor the new one: {seen:?}");
                    };
                    requests[which].fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (old, new) = (old(), new());
        // As fast as can be, so that every request meets a change, until many have begun under each.
        let few = || requests.iter().any(|count| count.load(Ordering::Relaxed) < 2_000);
        let mut changes = 0;
        while (few() || changes < 100_000) && !enough.load(Ordering::Relaxed) {
            changes += 2;
            for next in [&new, &old] {
                runtime.block_on(async { sites.turn().await.replace(next.clone()) });
            }
        }
        enough.store(true, Ordering::Relaxed);
    });
}

/// What one configuration alone serves is found under it and under no other.
#[test]
fn a_host_belongs_to_the_configuration_that_names_it() {
    let sites = CurrentSites::new(old());
    let found = |host: &str| site(host, &sites).map(|site| site.name.to_string()).map_err(|error| error.kind);
    assert_eq!([found("old.example"), found("new.example")], [Ok("old".into()), Err(Kind::NoSuchSite)]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let under_way = site("old.example", &sites).unwrap();
    runtime.block_on(async { sites.turn().await.replace(new()) });
    assert_eq!([found("old.example"), found("new.example")], [Err(Kind::NoSuchSite), Ok("new".into())]);
    assert_eq!((&*under_way.name, under_way.imaging.metadata), ("old", Carry::Nothing), "a request keeps what it has");
}
