//! A codec behind the plug-in interface, through the whole service: a library of a trivial format that a C compiler
//! makes here, and its faults.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Act, Origin, Pictor, client, demo, site, until};

/// Compiles tests/plugin/codec.c.
fn library(folder: &Path, options: &[&str]) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = folder.join(format!("codec{}.so", options.concat().replace(|c: char| !c.is_alphanumeric(), "-")));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let done = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-array-bounds", "-I"])
        .arg(root.join("include"))
        .args(options)
        .arg(root.join("tests/plugin/codec.c"))
        .arg("-o")
        .arg(&file)
        .output()
        .unwrap_or_else(|error| panic!("{compiler}: {error}"));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    file
}

fn plugin(path: &Path) -> String {
    format!("[engine.plugin]\npath = \"{}\"\nformat = \"tpg\"\n", path.display())
}

/// A file of the trivial format.
fn trivial(behaviour: u8, width: u32, height: u32, alpha: u8, rgba: &[u8]) -> Vec<u8> {
    [b"TPG", &[behaviour][..], &width.to_le_bytes(), &height.to_le_bytes(), &[alpha], rgba].concat()
}

/// 4 x 3 pixels, each of another colour.
fn pixels() -> Vec<u8> {
    (0..12u8).flat_map(|n| [n * 20, 255 - n * 20, n, 255 - n * 10]).collect()
}

async fn get(pictor: &Pictor, path: &str) -> (u16, String, Vec<u8>) {
    let answer = client().get(pictor.url(path)).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default(), answer.bytes().await.unwrap().to_vec())
}

fn png_pixels(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    data.truncate(info.buffer_size());
    (info.width, info.height, data)
}

async fn service(options: &[&str]) -> (Origin, Pictor, tempfile::TempDir) {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let site = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let config = format!("[engine]\ndeadline = \"3s\"\n{}{site}", plugin(&library(folder.path(), options)));
    let pictor = Pictor::start(&config).await;
    (origin, pictor, folder)
}

#[tokio::test]
async fn originals_are_decoded_and_results_encoded() {
    let (origin, pictor, _folder) = service(&[]).await;
    let pixels = pixels();
    // By its first bytes, whatever its name.
    origin.script("/a", Act::Give(trivial(0, 4, 3, 1, &pixels)));
    let (status, kind, body) = get(&pictor, "/a?imageMogr2/format/png").await;
    assert_eq!((status, kind.as_str()), (200, "image/png"), "{}", String::from_utf8_lossy(&body));
    assert_eq!(png_pixels(&body), (4, 3, pixels.clone()));
    let (status, kind, _) = get(&pictor, "/a?x-oss-process=image/resize,w_2/format,jpg").await;
    assert_eq!((status, kind.as_str()), (200, "image/jpeg"));
    // Alpha that the header denies is not read.
    origin.script("/opaque.tpg", Act::Give(trivial(0, 4, 3, 0, &pixels)));
    let (_, _, body) = get(&pictor, "/opaque.tpg?imageMogr2/format/png").await;
    let rgb: Vec<u8> = pixels.chunks_exact(4).flat_map(|pixel| pixel[..3].to_vec()).collect();
    assert_eq!(png_pixels(&body), (4, 3, rgb));

    let (status, kind, body) = get(&pictor, "/a?imageMogr2/format/tpg/quality/42").await;
    assert_eq!((status, kind.as_str()), (200, "image/tpg"));
    assert_eq!(body, trivial(42, 4, 3, 1, &pixels));
    // Its own format, where nothing else is said.
    let (_, kind, body) = get(&pictor, "/a?imageMogr2/rotate/180").await;
    assert_eq!((kind.as_str(), &body[..3]), ("image/tpg", &b"TPG"[..]));
    assert_eq!(&body[13..17], &pixels[44..]);

    let (status, _, body) = get(&pictor, "/a?imageInfo").await;
    let info: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &info["format"], &info["width"]), (200, &"tpg".into(), &"4".into()));

    origin.script("/b.png", Act::Give(std::fs::read(demo().join("chelsea.png")).unwrap()));
    let (status, kind, body) = get(&pictor, "/b.png?imageMogr2/thumbnail/30x/format/tpg").await;
    assert_eq!((status, kind.as_str(), &body[4..8]), (200, "image/tpg", &[30, 0, 0, 0][..]));
    let (status, _, body) = get(&pictor, "/b.png?imageMogr2/thumbnail/1001x/format/tpg").await;
    assert!(status == 400 && String::from_utf8_lossy(&body).contains("too wide for me"));
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"died\"}").await, 0.0);
}

#[tokio::test]
async fn it_is_offered_to_clients_that_name_it() {
    let (origin, folder) = (Origin::start().await, tempfile::tempdir().unwrap());
    let site = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let offer = "[site.negotiate]\nformats = [\"tpg\", \"webp\"]\n";
    let pictor = Pictor::start(&format!("{}{site}{offer}", plugin(&library(folder.path(), &[])))).await;
    origin.script("/b.png", Act::Give(std::fs::read(demo().join("chelsea.png")).unwrap()));
    for (accept, want) in [("image/tpg,image/webp,*/*", "image/tpg"), ("image/webp,*/*", "image/webp")] {
        let request = client().get(pictor.url("/b.png?imageMogr2/thumbnail/30x")).header("accept", accept);
        assert_eq!(request.send().await.unwrap().headers()["content-type"], want);
    }
}

#[tokio::test]
async fn without_one_tpg_is_refused_as_it_was() {
    let origin = Origin::start().await;
    origin.script("/a.tpg", Act::Give(trivial(0, 4, 3, 1, &pixels())));
    origin.script("/b.png", Act::Give(std::fs::read(demo().join("chelsea.png")).unwrap()));
    let pictor = Pictor::before(&origin).await;
    for (path, word) in [("/a.tpg?imageMogr2/format/png", "TPG"), ("/b.png?imageMogr2/format/tpg", "tpg")] {
        let (status, kind, body) = get(&pictor, path).await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!((status, kind.as_str()), (400, "application/xml"), "{text}");
        assert!(path.starts_with("/a") || text.contains(word), "{text}");
    }
}

#[tokio::test]
async fn a_library_that_only_decodes_writes_nothing() {
    let (origin, pictor, _folder) = service(&["-DFEATURES=1", "-DNO_FREE"]).await;
    origin.script("/a", Act::Give(trivial(0, 4, 3, 1, &pixels())));
    let (status, kind, _) = get(&pictor, "/a?imageMogr2/rotate/180").await;
    assert_eq!((status, kind.as_str()), (200, "image/png"));
    let (status, _, body) = get(&pictor, "/a?imageMogr2/format/tpg").await;
    assert!(status == 400 && String::from_utf8_lossy(&body).contains("tpg cannot be written"));
}

#[tokio::test]
async fn damage_and_faults_cost_one_request() {
    let (origin, pictor, _folder) = service(&[]).await;
    let pixels = pixels();
    for (name, file, status, word) in [
        ("short", b"TPG\0\x04\0".to_vec(), 400, "the header is cut off"),
        ("missing", trivial(0, 4, 3, 1, &pixels[..20]), 400, "pixels are missing"),
        ("nothing", trivial(0, 0, 3, 1, &pixels), 400, "0 x 3 pixels"),
        ("wide", trivial(0, 16_384, 3, 1, &pixels), 400, "16384 x 3"),
        ("vast", trivial(0, u32::MAX, u32::MAX, 1, &pixels), 400, "4294967295"),
        ("alpha", trivial(0, 4, 3, 2, &pixels), 400, "alpha 2"),
        ("many", trivial(0, 16_383, 16_383, 1, &pixels), 400, "at most"),
        ("odd", trivial(b'q', 4, 3, 1, &pixels), 400, "answered 77"),
        ("file", trivial(b'f', 4, 3, 1, &pixels), 400, "no file may be opened"),
        ("memory", trivial(b'm', 4, 3, 1, &pixels), 400, "not enough memory"),
        ("crash", trivial(b'c', 4, 3, 1, &pixels), 400, ""),
        ("beyond", trivial(b'o', 4, 3, 1, &pixels), 400, "beyond the pixels"),
        ("endless", trivial(b's', 4, 3, 1, &pixels), 504, ""),
    ] {
        origin.script(&format!("/{name}"), Act::Give(file));
        let (got, kind, body) = get(&pictor, &format!("/{name}?imageMogr2/format/png")).await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!((got, kind.as_str()), (status, "application/xml"), "{name}: {text}");
        // Of a fault that is the library's only the operator reads.
        if !text.contains(word) {
            until(&format!("{name}: {word} is logged"), || pictor.logged(word)).await;
        }
    }
    // What only its name calls so is asked about too, and is nobody's.
    origin.script("/text.tpg", Act::Give(b"hello".to_vec()));
    let (status, _, body) = get(&pictor, "/text.tpg?imageMogr2/format/png").await;
    assert!(status == 400 && String::from_utf8_lossy(&body).contains("not a picture"));
    origin.script("/good", Act::Give(trivial(0, 4, 3, 1, &pixels)));
    assert_eq!(get(&pictor, "/good?imageMogr2/format/png").await.0, 200);
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"died\"}").await, 1.0, "by the crash");
}

#[tokio::test]
async fn what_is_no_file_is_not_given_out() {
    for (bad, word) in [(1, "no file"), (2, "impossible length"), (3, "answered 99"), (4, "to itself"), (5, "")] {
        let (origin, pictor, _folder) = service(&[&format!("-DBAD_ENCODE={bad}")]).await;
        origin.script("/a", Act::Give(trivial(0, 4, 3, 1, &pixels())));
        let (status, _, body) = get(&pictor, "/a?imageMogr2/format/tpg").await;
        let text = String::from_utf8_lossy(&body);
        assert_eq!(status, 400, "{bad}: {text}");
        if !text.contains(word) {
            until(&format!("{bad}: {word} is logged"), || pictor.logged(word)).await;
        }
        origin.script("/b", Act::Give(trivial(1, 4, 3, 1, &pixels())));
        assert_eq!(get(&pictor, "/b?imageMogr2/format/png").await.0, 200, "{bad}");
    }
}

/// What `pictor` says with this configuration, and whether it was content.
fn says(command: &str, config: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pictor.toml");
    let server = "[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.2:0\"\n";
    std::fs::write(&file, format!("{server}{config}{}", site("kind = \"dir\"\npath = \".\""))).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_pictor")).arg(command).arg("--config").arg(&file).output().unwrap();
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn a_library_that_cannot_be_used_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let good = library(folder.path(), &[]);
    let (content, text) = says("check", &plugin(&good));
    assert!(content && text.contains("plug-in trivial 0.1: decodes true, encodes true"), "{text}");
    let text_file = folder.path().join("text.so");
    std::fs::write(&text_file, "not a library").unwrap();
    let absent = folder.path().join("absent.so");
    for (path, word) in [
        (library(folder.path(), &["-DABI=7"]), "it speaks version 7 of the interface, and this Pictor version 1"),
        (library(folder.path(), &["-DFEATURES=8"]), "its features are 8"),
        (library(folder.path(), &["-DNO_FREE"]), "it has no function pictor_codec_free"),
        (text_file, "text.so"),
        (absent, "there is no file"),
    ] {
        for command in ["check", "serve"] {
            let (content, text) = says(command, &plugin(&path));
            assert!(!content && text.contains(word), "{command} {}: {text}", path.display());
            assert!(text.contains(path.to_str().unwrap()), "{text}");
        }
    }
    let threads = format!("[engine]\nisolation = \"thread\"\n{}", plugin(&good));
    let (content, text) = says("check", &threads);
    assert!(!content && text.contains("engine.plugin needs engine.isolation = \"process\""), "{text}");
}

#[tokio::test]
async fn the_service_itself_never_loads_it() {
    let (origin, pictor, folder) = service(&[]).await;
    origin.script("/a", Act::Give(trivial(0, 4, 3, 1, &pixels())));
    assert_eq!(get(&pictor, "/a?imageMogr2/format/png").await.0, 200);
    let maps = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let name = folder.path().to_str().unwrap();
    assert!(!maps(pictor.pid()).contains(name));
    let workers = pictor.workers();
    assert!(!workers.is_empty() && workers.into_iter().all(|pid| maps(pid).contains(name)));
}
