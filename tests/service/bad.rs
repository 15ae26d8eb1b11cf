//! The corpus of bad pictures, through the whole service: for every file within bounds the answer that it deserves, and the
//! service stands. What a file deserves is what two programs of others say of it (the corpus's manifest), and the vendors' limits.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use pictor::plan::Format;
use pictor::sign::encode::uri_encode;

use crate::support::{Pictor, client, corpus, site};

/// Every file has its answer within this, on a machine that is busy with other tests: alone it is a second or two.
const BOUND: Duration = Duration::from_secs(10);

/// Read although one of the two programs does not.
const READ: [(&str, &str); 5] = [
    ("avif-poc_b_506387278.avif", "libvips has no AVIF of that kind here"),
    ("png-bugfix-cicp_pq.png", "a chunk that Pillow refuses and nobody needs"),
    ("png-bugfix-issue#430.png", "a chunk that Pillow refuses and nobody needs"),
    ("png-iccp-bomb.png", "what would be large is never unpacked"),
    ("png-ztxt-bomb.png", "what would be large is never unpacked"),
];

/// Refused although both read it, or one reads it and the other is not asked.
const REFUSED: [(&str, &str); 5] = [
    ("gif-65535x65535-claim.gif", "Pillow looks at the header alone; its canvas is beyond the limits"),
    ("gif-301-frames.gif", "one frame more than the vendors process"),
    ("ico-incorrect-image-length.ico", "damaged"),
    ("png-idat-crc-error.png", "damaged: the checksum of its data is wrong"),
    ("tiff-clusterfuzz-5026894169374720.tif", "damaged: both fill in what is missing"),
];

/// What a file is according to others.
struct Known {
    both_read: bool,
    sides: Option<(u32, u32)>,
}

fn manifest(corpus: &Path) -> BTreeMap<String, Known> {
    let text = std::fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
    let mut lines = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let column = |name: &str| names.iter().position(|other| *other == name).unwrap();
    let (file, dims, pillow, vips) = (column("file"), column("dims"), column("pillow"), column("vips"));
    let known = |cells: &Vec<&str>| Known {
        both_read: cells[pillow] == "ok" && cells[vips].starts_with("ok"),
        sides: cells[dims].split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?))),
    };
    lines.filter_map(|cells| Some((cells[file].strip_prefix("bad/")?.to_owned(), known(&cells)))).collect()
}

/// Whether a file has to be read.
fn readable(name: &str, known: &Known) -> bool {
    let listed = |list: &[(&str, &str)]| list.iter().any(|(listed, _)| *listed == name);
    let within = known.sides.is_some_and(|(w, h)| w.max(h) <= 30_000 && u64::from(w) * u64::from(h) <= 250_000_000);
    listed(&READ) || known.both_read && within && !listed(&REFUSED)
}

#[tokio::test]
async fn every_bad_picture_has_the_answer_that_it_deserves() {
    let Some(corpus) = corpus() else { return };
    let bad = corpus.join("bad");
    let known = manifest(&corpus);
    let pictor = Pictor::start(&site(&format!("kind = \"dir\"\npath = \"{}\"", bad.display()))).await;
    let mut names: Vec<_> = std::fs::read_dir(&bad).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(names.len() > 100, "{} files", names.len());
    let (mut read, mut wrong) = (0, Vec::new());
    for name in names {
        let name = name.into_string().unwrap();
        let began = Instant::now();
        let path = format!("/{}?imageMogr2/thumbnail/100x/format/webp", uri_encode(name.as_bytes()));
        let answer = client().get(pictor.url(&path)).send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.bytes().await.unwrap();
        let took = began.elapsed();
        assert!(took < BOUND, "{name} took {took:?}");
        let known = known.get(&name).unwrap_or_else(|| panic!("{name} is not in the manifest"));
        let said = match readable(&name, known) {
            true => picture(status, &body, known.sides.unwrap()),
            false => error(status, headers["content-type"].to_str().unwrap(), &body, &name),
        };
        read += u32::from(status == 200);
        wrong.extend(said.err().map(|what| format!("{name}: {status}: {what}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(read > 20, "{read} were read");
    assert_eq!(pictor.metric("pictor_workers{state=\"present\"}").await as usize, cores());
}

/// The whole picture as WebP, 100 pixels wide.
fn picture(status: u16, body: &[u8], (width, height): (u32, u32)) -> Result<(), String> {
    if status != 200 {
        return Err(format!("not read: {}", String::from_utf8_lossy(body)));
    }
    let source = pictor::imaging::probe(body).map_err(|error| error.message)?.source;
    let want = (f64::from(height) * 100.0 / f64::from(width)).round().max(1.0) as u32;
    let fits = source.width == 100 && source.height.abs_diff(want) <= 1;
    match source.format == Format::WebP && fits {
        true => Ok(()),
        false => Err(format!("{:?} of {} x {}, not WebP of 100 x {want}", source.format, source.width, source.height)),
    }
}

/// The vendor's error, which says what it is that is wrong.
fn error(status: u16, media: &str, body: &[u8], name: &str) -> Result<(), String> {
    let text = String::from_utf8_lossy(body);
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split("</Code>").next()).unwrap_or_default();
    let large = ["-claim.", "30001", "251mpx", "301-frames", "9mpx"].iter().any(|part| name.contains(part));
    // Drawings are not read unless a site says so.
    let wanted: &[&str] = match name.rsplit('.').next() {
        Some("svg" | "svgz" | "html" | "bin" | "tpg") => &["UnsupportedFormat"],
        _ if large => &["ImageTooLarge"],
        _ => &["InvalidImage", "UnsupportedFormat", "ImageTooLarge"],
    };
    match status == 400 && media == "application/xml" && wanted.contains(&code) {
        true => Ok(()),
        false => Err(format!("{media} {text}, not {wanted:?}")),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
