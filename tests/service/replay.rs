//! `pictor replay`: the real binary between two scripted servers that differ in every way that is reported.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use pictor::imaging::Effort;
use pictor::imaging::{Job, Policy, convert};
use pictor::plan::{Limits, Plan, Target};
use serde_json::Value;

use crate::shared::free_port;
use crate::shared::scripted::{Behaviour, ScriptedOrigin};

/// A PNG with something to see in it; another one for another `twist`.
fn png(width: u32, height: u32, twist: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&pixels(width, height, twist)).unwrap();
    bytes
}

fn pixels(width: u32, height: u32, twist: u32) -> Vec<u8> {
    let at = |x: u32, y: u32| [(x * 3 + twist * 40) as u8, (y * 5) as u8, ((x / 8 + y / 8 + twist) % 2 * 200) as u8];
    (0..height).flat_map(|y| (0..width).flat_map(move |x| at(x, y))).collect()
}

fn gif(twists: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 48, 32, &[]).unwrap();
    for twist in twists {
        encoder.write_frame(&gif::Frame::from_rgb(48, 32, &pixels(48, 32, *twist))).unwrap();
    }
    drop(encoder);
    bytes
}

/// A picture in another form, by the plan's canonical text.
fn made(source: &[u8], plan: &str) -> Vec<u8> {
    let plan: Plan = plan.parse().unwrap();
    let Target::Fixed(format) = plan.output().unwrap().target else { panic!("a format") };
    let (limits, policy, effort) = (Limits::default(), Policy::default(), Effort::Interactive);
    convert(source, &Job { plan, format, limits, policy, effort, threads: 1, budget_ms: 60_000, full_ms: 0 }).unwrap().0
}

fn replay(list: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pictor"))
        .arg("replay")
        .arg(list)
        .args(["--workers", "1"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn xml(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>")
}

const BAD_PATH: &str = "/%3Cscript%3Ealert(1)%3C/script%3E.png";

/// Two servers, and a list of what they differ in, by the kinds that are to be told.
fn stage() -> (ScriptedOrigin, ScriptedOrigin, Vec<(&'static str, &'static [&'static str])>) {
    let (a, b) = (ScriptedOrigin::start(), ScriptedOrigin::start());
    let original = png(96, 64, 0);
    let reply = |origin: &ScriptedOrigin, path: &str, media: &str, body: &[u8]| {
        origin.script(path, Behaviour::ok(&[("Content-Type", media)], body));
    };
    for path in ["/same.png", "/status.png", "/type.png", "/size.png", "/hang.png", "/short.png", BAD_PATH] {
        reply(&a, path, "image/png", &original);
        reply(&b, path, "image/png", &original);
    }
    let (good, bad) = (made(&original, "|jpeg,q=set95"), made(&original, "|jpeg,q=set5"));
    b.script("/status.png", Behaviour::reply(404, &[("Content-Type", "application/xml")], xml("NoSuchKey")));
    for (origin, code) in [(&a, "NoSuchKey"), (&b, "AccessDenied")] {
        origin.script("/code.png", Behaviour::reply(404, &[("Content-Type", "application/xml")], xml(code)));
    }
    reply(&a, "/type.png", "image/tiff", &made(&original, "|tiff"));
    reply(&b, "/size.png", "image/png", &png(96, 63, 0));
    reply(&a, "/pixels.jpg", "image/jpeg", &good);
    reply(&b, "/pixels.jpg", "image/jpeg", &bad);
    reply(&a, "/frames.gif", "image/gif", &gif(&[0, 1, 2]));
    reply(&b, "/frames.gif", "image/gif", &gif(&[0, 1]));
    reply(&a, "/moving.gif", "image/gif", &gif(&[0, 1, 2]));
    reply(&b, "/moving.gif", "image/gif", &gif(&[0, 3, 2]));
    reply(&a, "/print.tiff", "image/tiff", &made(&original, "|tiff"));
    reply(&b, "/print.tiff", "image/tiff", &made(&png(96, 64, 3), "|tiff"));
    reply(&a, "/broken.png", "image/png", &original);
    reply(&b, "/broken.png", "image/png", &original[..original.len() - 40]);
    reply(&a, "/grown.bin", "a/b", &[0; 4000]);
    reply(&b, "/grown.bin", "a/b", &[0; 8000]);
    reply(&a, "/info", "application/json", br#"{"width":"96","height":"64"}"#);
    reply(&b, "/info", "application/json", br#"{"height":"64","width":"96"}"#);
    reply(&a, "/facts", "application/json", br#"{"width":"96"}"#);
    reply(&b, "/facts", "application/json", br#"{"width":"97"}"#);
    b.script("/hang.png", Behaviour::Silent);
    b.script("/short.png", Behaviour::Short { announced: original.len() as u64, body: original[..100].to_vec() });
    reply(&b, BAD_PATH, "text/<script>alert(2)</script>", b"<b>");
    let list: Vec<(&str, &[&str])> = vec![
        ("/same.png?imageMogr2/thumbnail/96x", &[]),
        ("/status.png", &["status"]),
        ("/code.png", &["code"]),
        ("/type.png", &["type"]),
        ("/size.png", &["size"]),
        ("/pixels.jpg", &["pixels"]),
        ("/frames.gif", &["frames"]),
        ("/moving.gif", &["pixels"]),
        ("/print.tiff", &["pixels"]),
        ("/broken.png", &["pixels"]),
        ("/grown.bin", &["body", "bytes"]),
        ("/info", &[]),
        ("/facts", &["json"]),
        ("/hang.png", &["fetch"]),
        ("/short.png", &["fetch"]),
        ("/<script>alert(1)</script>.png?x=\"><img src=x onerror=alert(3)>&q-signature=SECRET", &["type", "body"]),
    ];
    (a, b, list)
}

fn write(path: &Path, lines: impl IntoIterator<Item = String>) {
    let mut file = std::fs::File::create(path).unwrap();
    writeln!(file, "# what two servers are asked for\n").unwrap();
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
}

fn entries(report: &Path) -> (BTreeMap<u64, Value>, Value) {
    let text = std::fs::read_to_string(report.join("report.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let list = value["entries"].as_array().unwrap().clone();
    (list.into_iter().map(|entry| (entry["number"].as_u64().unwrap(), entry)).collect(), value["summary"].clone())
}

fn kinds(entry: &Value) -> Vec<&str> {
    entry["differences"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect()
}

#[test]
fn every_difference_is_told_and_nothing_hostile_gets_through() {
    let (a, b, list) = stage();
    let folder = tempfile::tempdir().unwrap();
    let (file, report) = (folder.path().join("list.txt"), folder.path().join("report"));
    write(&file, list.iter().map(|(url, _)| (*url).to_owned()));
    let (from, against, target) = (a.url(), b.url(), report.display().to_string());
    let arguments = [
        "--from",
        &from,
        "--against",
        &against,
        "--report",
        &target,
        "--timeout",
        "1",
        "--concurrency",
        "4",
        "--from-header",
        "X-Key: HIDDEN",
    ];
    let output = replay(&file, &arguments);
    assert_eq!(code(&output), 1, "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("16 pairs: 2 agree, 14 differ\n"), "{text}");
    assert!(text.lines().count() < 40, "it fits on a screen");
    let (entries, summary) = entries(&report);
    assert_eq!(entries.len(), list.len());
    for (number, (url, want)) in (1..).zip(&list) {
        let entry = &entries[&number];
        assert_eq!(kinds(entry), *want, "{url}: {entry}");
        assert_eq!(entry["same"].as_bool().unwrap(), want.is_empty());
    }
    assert_eq!((summary["total"].as_u64(), summary["kinds"]["fetch"].as_u64()), (Some(16), Some(2)));
    let detail = |number: u64| entries[&number]["differences"][0]["detail"].as_str().unwrap();
    assert_eq!(detail(2), "200 became 404");
    assert_eq!(detail(3), "NoSuchKey became AccessDenied");
    assert_eq!(detail(5), "96x64 became 96x63");
    assert_eq!(detail(7), "3 became 2");
    assert!(detail(8).contains("in frame 2"), "{}", detail(8));
    assert!(detail(10).starts_with("the second: "), "{}", detail(10));
    assert!(detail(13).contains("/width was \"96\", is \"97\""));
    assert!(detail(14).contains("no whole answer within 1s") && detail(15).contains("broke off"));
    assert!(entries[&4]["score"].as_f64().unwrap() > 70.0, "another format, and alike");

    let page = std::fs::read_to_string(report.join("index.html")).unwrap();
    let all = format!("{page}{text}{}", std::fs::read_to_string(report.join("report.json")).unwrap());
    for secret in ["SECRET", "HIDDEN"] {
        assert!(!all.contains(secret), "{secret}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;.png?x=&quot;&gt;&lt;img"), "the URL is told");
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    for hostile in ["alert(2)</script>", "<img src=x", "onerror=alert(3)>"] {
        assert!(!page.contains(hostile), "{hostile}");
    }
    let links = page.split(" src=\"").skip(1).chain(page.split(" href=\"").skip(1));
    let links: Vec<&str> = links.filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() > 12, "{links:?}");
    for link in links {
        assert!(link.starts_with("pictures/") && report.join(link).is_file(), "{link}");
    }
    assert!(report.join("pictures/000009-from-preview.png").is_file(), "browsers show no TIFF");
    assert_eq!(a.last("/same.png").header("x-key"), Some("HIDDEN"));
    assert_eq!(b.last("/same.png").header("x-key"), None, "credentials go to their place alone");
    assert_eq!(a.last("/same.png").target, "/same.png?imageMogr2/thumbnail/96x");
    assert_eq!(b.count("/hang.png"), 1, "no second try");
    // An ignored difference is none, and only the worst pictures are kept.
    let ignore = "fetch,status,code,size,frames,json,body,bytes,pixels";
    let more = ["--ignore", ignore, "--pictures", "1"];
    let output = replay(&file, &[&arguments[..], &more[..]].concat());
    assert_eq!(code(&output), 1);
    let kept = std::fs::read_dir(report.join("pictures")).unwrap().count();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("16 pairs: 14 agree, 2 differ\n"), "{output:?}");
    assert_eq!(kept, 1, "one row, which has a picture on one side only");
}

#[test]
fn the_exit_code_tells() {
    let a = ScriptedOrigin::start();
    a.put("/a.png", "image/png", png(32, 32, 0));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.txt");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    write(&file, [format!("{}/a.png", a.url())]);
    assert_eq!(code(&replay(&file, &["--against", &a.url()])), 0);
    // One place that refuses is a difference, as long as others answer.
    write(&file, [format!("{}/a.png", a.url()), format!("{nobody}/a.png")]);
    let output = replay(&file, &["--against", &a.url()]);
    assert_eq!(code(&output), 1, "{output:?}");
    let output = replay(&file, &["--against", &nobody]);
    assert_eq!(code(&output), 2, "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("the second place answered nothing"));
    for (list, arguments) in [
        (folder.path().join("missing"), vec!["--against", "http://127.0.0.1:1"]),
        (file.clone(), vec!["--against", "127.0.0.1"]),
        (file.clone(), vec!["--against", "http://127.0.0.1:1", "--ignore", "colours"]),
        (file.clone(), vec![]),
    ] {
        assert_eq!(code(&replay(&list, &arguments)), 2, "{arguments:?}");
    }
    write(&file, []);
    assert_eq!(code(&replay(&file, &["--against", &a.url()])), 2, "nothing to ask for");
    // A folder with something else in it is left alone.
    std::fs::write(folder.path().join("precious"), "x").unwrap();
    write(&file, ["/a.png".to_owned()]);
    let here = folder.path().display().to_string();
    let output = replay(&file, &["--from", &a.url(), "--against", &a.url(), "--report", &here]);
    assert_eq!(code(&output), 2);
    assert!(folder.path().join("precious").is_file() && !folder.path().join("index.html").exists());
}

#[test]
fn a_list_comes_by_standard_input_and_from_translate() {
    let (a, b) = (ScriptedOrigin::start(), ScriptedOrigin::start());
    for origin in [&a, &b] {
        origin.put("/a.png", "image/png", png(32, 32, 0));
    }
    let pipe = |arguments: &[&str], input: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_pictor"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let urls = format!(
        "{0}/a.png?imageMogr2/thumbnail/300x>&q-signature=s\n# no rule\n{0}/a.png\n{0}/a.png?imageMogr2/flip/vertical\n",
        a.url()
    );
    let translated = pipe(&["translate", "-", "--to", "aliyun"], &urls);
    assert_eq!(code(&translated), 1, "one has no counterpart");
    let list = String::from_utf8(translated.stdout).unwrap();
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][1], format!("{}/a.png?x-oss-process=image/resize,w_300", a.url()));
    assert!(rows[0][2].contains("sign the URL again"), "{}", rows[0][2]);
    assert_eq!((rows[2][1], rows[2][2]), ("", "imageMogr2/flip/vertical: aliyun has no mirroring"));
    let two: String = list.lines().take(2).map(|line| format!("{line}\n")).collect();
    let output = pipe(&["replay", "-", "--against", &b.url(), "--workers", "1"], &two);
    assert_eq!(code(&output), 0, "{output:?}");
    assert_eq!(b.seen()[0].path(), "/a.png");
    let asked: Vec<String> = b.seen().into_iter().map(|seen| seen.target).collect();
    assert!(asked.contains(&"/a.png?x-oss-process=image/resize,w_300".to_owned()), "{asked:?}");
    let one = pipe(&["translate", "https://h/a.png?x-oss-process=image/circle,r_5/info", "--to", "tencent"], "");
    assert_eq!(code(&one), 1);
}
