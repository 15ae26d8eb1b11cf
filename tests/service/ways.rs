//! One plan and one original, by every way that leads to a conversion or says what would come of it: the service, `convert`
//! and `explain` give the same format and size, and refuse in the same words.

use std::process::{Command, Output};

use pictor::imaging::probe;

use crate::support::{Pictor, client, demo};

fn command(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pictor")).args(arguments).current_dir(demo()).output().unwrap()
}

/// What stands on standard output, or on standard error when it failed.
fn said(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[tokio::test]
async fn the_service_and_the_commands_say_the_same() {
    let pictor = Pictor::demo().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let rules = [
        "imageMogr2/thumbnail/300x",
        "imageMogr2/thumbnail/200x100!/format/webp",
        "imageMogr2/rotate/30/format/png",
        "imageMogr2/crop/100x80/gravity/center/format/avif",
        "imageMogr2/auto-orient/thumbnail/!50p/format/heif",
        "imageMogr2/thumbnail/20000x/format/avif",
        "image/resize,m_pad,w_70,h_20/format,jpg",
        "image/resize,w_9000,h_9000,m_fixed,limit_0/format,webp",
        "image/rotate,17",
    ];
    for name in ["sample.jpg", "sample.png", "anim.gif"] {
        let source = probe(&std::fs::read(demo().join(name)).unwrap()).unwrap().source;
        let size = format!("{}x{}", source.width, source.height);
        let (frames, turned) = (source.frames.to_string(), source.orientation.to_string());
        for rule in rules {
            let query = if rule.starts_with("image/") { format!("x-oss-process={rule}") } else { rule.to_owned() };
            let asked = ["explain", rule, "--format", source.format.name(), "--size", &size];
            let more = ["--frames", &frames, "--orientation", &turned];
            let explained = said(&command(&[asked.as_slice(), more.as_slice()].concat()));
            let converted = said(&command(&["convert", name, &out, "--rule", rule, "--no-sandbox"]));
            let answer = client().get(pictor.url(&format!("/{name}?{query}"))).send().await.unwrap();
            let (status, body) = (answer.status(), answer.bytes().await.unwrap());
            let case = format!("{name} {rule}: {status} {explained:?} {converted:?}");
            match (explained, converted) {
                (Ok(explained), Ok(converted)) => {
                    assert_eq!(status, 200, "{case}");
                    let made = probe(&body).unwrap().source;
                    let (format, turned) = (made.format.name(), made.orientation >= 5);
                    let (wide, high) = if turned { (made.height, made.width) } else { (made.width, made.height) };
                    let stored = format!(" -> {format} {}x{} {} frame(s)", made.width, made.height, made.frames);
                    assert!(converted.contains(&stored), "{case}");
                    let laid = format!("result      {format} {}x{}, {} frame(s)", made.width, made.height, made.frames);
                    let upright = format!("result      {format} {wide}x{high}, {} frame(s)", made.frames);
                    assert!(explained.contains(&laid) || explained.contains(&upright), "{case}");
                }
                (Err(explained), Err(converted)) => {
                    assert_eq!(status, 400, "{case}");
                    let body = String::from_utf8(body.to_vec()).unwrap();
                    let message =
                        body.split_once("<Message>").and_then(|(_, rest)| rest.split_once("</Message>")).unwrap().0;
                    let words = message.split("; ").next().unwrap();
                    assert!(explained.contains(words) && converted.contains(words), "{message} / {case}");
                }
                _ => panic!("one is refused and the other is not: {case}"),
            }
        }
    }
}
