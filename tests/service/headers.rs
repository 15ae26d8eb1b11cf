//! Hostile headers through the whole service, and formats that a site does not take.

use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{Act, Origin, Pictor, client, demo, site};

fn atom(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len() + 8).unwrap().to_be_bytes(), &kind[..], data].concat()
}

/// A HEIC whose auxiliary items are those of ten thousand others each, and whose primary item is a grid of as many.
fn tangled(length: usize) -> Vec<u8> {
    let reference = |kind: &[u8; 4], from: u16, first: u16, count: u16| {
        let to: Vec<u8> = (first..first + count).flat_map(u16::to_be_bytes).collect();
        atom(kind, &[&from.to_be_bytes()[..], &count.to_be_bytes(), &to].concat())
    };
    let mut references = vec![0; 4];
    for number in 0.. {
        references.extend(reference(b"dimg", 1, 100, 10_000));
        references.extend(reference(b"auxl", 20_000 + number % 1000, 40_000, 10_000));
        if references.len() > length {
            break;
        }
    }
    let ispe = atom(b"ispe", &[[0; 4], 9u32.to_be_bytes(), 8u32.to_be_bytes()].concat());
    let iprp = [atom(b"ipco", &ispe), atom(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1])].concat();
    let pitm = atom(b"pitm", &[0, 0, 0, 0, 0, 1]);
    let meta = [vec![0; 4], pitm, atom(b"iprp", &iprp), atom(b"iref", &references)].concat();
    [atom(b"ftyp", b"heic\0\0\0\0heic"), atom(b"meta", &meta)].concat()
}

#[tokio::test]
async fn hostile_headers_hold_nobody_up() {
    let origin = Origin::start().await;
    for number in 0..4 {
        origin.script(&format!("/{number}.heic"), Act::Give(tangled(4 << 20)));
    }
    origin.script("/good.jpg", Act::Give(std::fs::read(demo().join("sample.jpg")).unwrap()));
    let pictor = Pictor::before(&origin).await;
    let hostile = (0..4).map(|number| {
        let url = pictor.url(&format!("/{number}.heic?imageMogr2/thumbnail/9x/format/jpg"));
        tokio::spawn(async move { client().get(url).send().await.unwrap().status().as_u16() })
    });
    let hostile: Vec<_> = hostile.collect();
    let began = Instant::now();
    let good = client().get(pictor.url("/good.jpg?imageMogr2/thumbnail/30x/format/jpg")).send().await.unwrap();
    assert_eq!(good.status(), 200);
    for request in hostile {
        let status = request.await.unwrap();
        assert!((400..500).contains(&status), "{status}");
    }
    // It was more than a minute for each of the hostile ones.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

async fn choosy(inputs: &str) -> (Origin, Pictor) {
    let origin = Origin::start().await;
    let jpeg = std::fs::read(demo().join("sample.jpg")).unwrap();
    let mut gif = b"GIF89a\x08\0\x06\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    gif.extend([0x2c, 0, 0, 0, 0, 8, 0, 6, 0, 0, 2, 7, 0x84, 0x8f, 0xa9, 0xcb, 0xed, 0x0f, 0, 0, 0x3b]);
    origin
        .script("/a.jpg", Act::Give(jpeg))
        .script("/b.jpg", Act::Give(gif.clone()))
        .script("/mark.gif", Act::Give(gif))
        .script("/c.jpg", Act::Give(tangled(1000)))
        .script("/d.jpg", Act::Give(b"<svg width='9' height='9'/>".to_vec()))
        .script("/e.jpg", Act::Give(b"\xff\x0a\xfa\x1f\x01\x90".to_vec()));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{config}[site.limits]\ninputs = [{inputs}]\n")).await;
    (origin, pictor)
}

#[tokio::test]
async fn a_site_reads_the_formats_that_it_lists_and_no_worker_sees_another() {
    let (_origin, pictor) = choosy("\"jpeg\", \"png\"").await;
    let get = async |path: &str| {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.headers().clone(), answer.text().await.unwrap_or_default())
    };
    // Workers that stand still: whoever asks one waits.
    let signal = |name: &str| {
        for pid in pictor.workers() {
            assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
        }
    };
    signal("-STOP");
    for path in ["/b.jpg", "/c.jpg", "/d.jpg", "/e.jpg"] {
        for (rule, codes) in [
            ("imageMogr2/thumbnail/9x/format/png", ["<Code>UnsupportedFormat</Code>", "-443"]),
            ("imageInfo", ["<Code>UnsupportedFormat</Code>", "-443"]),
            ("x-oss-process=image/resize,w_9/format,png", ["<Code>BadRequest</Code>", "0040-00000005"]),
            ("x-oss-process=image/info", ["<Code>BadRequest</Code>", "0040-00000005"]),
        ] {
            let (status, headers, body) = get(&format!("{path}?{rule}")).await;
            let told = format!("{headers:?}{body}");
            assert_eq!(status, 400, "{path}?{rule}: {told}");
            assert!(codes.iter().all(|code| told.contains(code)), "{path}?{rule}: {told}");
            assert!(body.contains("this site"), "{body}");
        }
    }
    let mark = URL_SAFE_NO_PAD.encode("mark.gif");
    let (status, _, body) = get(&format!("/a.jpg?x-oss-process=image/watermark,image_{mark}")).await;
    assert_eq!((status, body.contains("WatermarkError")), (400, true), "{body}");
    signal("-CONT");
    assert_eq!(get("/a.jpg?imageMogr2/thumbnail/9x/format/png").await.0, 200);
}

#[tokio::test]
async fn what_is_listed_is_read() {
    let (_origin, pictor) = choosy("\"gif\"").await;
    let status = async |path: &str| client().get(pictor.url(path)).send().await.unwrap().status().as_u16();
    assert_eq!(status("/b.jpg?imageMogr2/format/png").await, 200);
    assert_eq!(status("/a.jpg?imageMogr2/format/png").await, 400);
    assert_eq!(status("/a.jpg").await, 200, "untouched it is given as it is");
}
