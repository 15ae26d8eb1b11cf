//! SVG through the whole service: drawn in the sandbox where the site says so, refused where it does not.

use std::time::{Duration, Instant};

use crate::support::{Act, Origin, Pictor, client, corpus, site};

const ALLOWED: &str = "[site.imaging]\nsvg = true\n";

/// Far above what is expected; a job has 30 s.
const SOON: Duration = Duration::from_secs(5);

fn drawing(inside: &str) -> Act {
    let text = format!("<svg xmlns='http://www.w3.org/2000/svg' width='80' height='40'>{inside}</svg>");
    Act::Give(text.into_bytes())
}

async fn get(pictor: &Pictor, path: &str) -> (u16, String, Vec<u8>) {
    let answer = client().get(pictor.url(path)).send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind.unwrap_or_default(), answer.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn a_drawing_becomes_a_picture_where_the_site_allows_it() {
    let origin = Origin::start().await;
    let site = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    origin.script("/a.svg", drawing("<rect width='40' height='40' fill='#f00'/><script>alert(1)</script>"));

    let pictor = Pictor::start(&format!("{site}{ALLOWED}")).await;
    let (status, kind, body) = get(&pictor, "/a.svg?imageMogr2/thumbnail/400x").await;
    assert_eq!((status, kind.as_str()), (200, "image/png"), "{}", String::from_utf8_lossy(&body));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&body)).read_info().unwrap();
    assert_eq!((reader.info().width, reader.info().height), (400, 200), "enlarged");
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    for (path, want) in [
        ("/a.svg?x-oss-process=image/resize,w_40/format,jpg", "image/jpeg"),
        ("/a.svg?imageMogr2/format/webp", "image/webp"),
        ("/a.svg?imageMogr2/strip", "image/png"),
    ] {
        let (status, kind, _) = get(&pictor, path).await;
        assert_eq!((status, kind.as_str()), (200, want), "{path}");
    }
    let (status, _, body) = get(&pictor, "/a.svg?imageInfo").await;
    let info: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &info["format"], &info["width"]), (200, &"svg".into(), &"80".into()));
    let (status, _, body) = get(&pictor, "/a.svg?x-oss-process=image/info").await;
    assert!(status == 200 && String::from_utf8_lossy(&body).contains("svg"));
    let (status, kind, _) = get(&pictor, "/a.svg?imageMogr2/format/svg").await;
    assert_eq!(status, 400, "{kind}: it is never written");

    let pictor = Pictor::start(&site).await;
    let (status, kind, body) = get(&pictor, "/a.svg?imageMogr2/thumbnail/400x").await;
    let text = String::from_utf8_lossy(&body);
    assert_eq!((status, kind.as_str()), (400, "application/xml"), "{text}");
    assert!(text.contains("SVG, which this site does not read") && text.contains("<Error>"), "{text}");
}

#[tokio::test]
async fn text_is_written_by_sealed_workers() {
    let origin = Origin::start().await;
    let site = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let text = "<text x='2' y='30' font-size='30' font-family='Nobody Has This'>Hx</text>";
    origin.script("/t.svg", drawing(text));
    let pictor = Pictor::start(&format!("{site}{ALLOWED}")).await;
    let (status, kind, body) = get(&pictor, "/t.svg?imageMogr2/format/png").await;
    if status == 400 {
        // No font on this machine.
        let text = String::from_utf8_lossy(&body);
        assert!(text.contains("engine.fonts.paths"), "{text}");
        return;
    }
    assert_eq!((status, kind.as_str()), (200, "image/png"));
    let mut decoder = png::Decoder::new(std::io::Cursor::new(&body));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let each = info.color_type.samples();
    let written = pixels.chunks_exact(each).filter(|pixel| *pixel.last().unwrap() > 128).count();
    assert!((100..1600).contains(&written), "{written} pixels of {}", pixels.len() / each);
}

#[tokio::test]
async fn hostile_drawings_cost_no_worker() {
    let origin = Origin::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = listener.local_addr().unwrap();
    let site = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{site}{ALLOWED}")).await;
    let level = |n: u32| format!("<g id='l{n}'>{}</g>", format!("<use href='#l{}'/>", n - 1).repeat(10));
    let uses: String = (1..10).map(level).collect();
    for (name, inside, want) in [
        ("outside", format!("<image width='9' height='9' href='http://{elsewhere}/a.png'/><image href='/etc/passwd'/>"), 200),
        ("uses", format!("<rect id='l0' width='1' height='1'/>{uses}"), 400),
        ("deep", "<g>".repeat(100_000), 400),
        ("blur", "<filter id='f'><feGaussianBlur stdDeviation='1e9'/></filter><rect width='9' height='9' filter='url(#f)'/>".into(), 200),
        ("noise", "<filter id='f'><feTurbulence numOctaves='4000000000'/></filter><rect width='80' height='40' filter='url(#f)'/>".into(), 400),
    ] {
        origin.script(&format!("/{name}.svg"), drawing(&inside));
        let began = Instant::now();
        let (status, _, body) = get(&pictor, &format!("/{name}.svg?imageMogr2/format/png")).await;
        assert_eq!(status, want, "{name}: {}", String::from_utf8_lossy(&body));
        assert!(began.elapsed() < SOON, "{name}: {:?}", began.elapsed());
    }
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"died\"}").await, 0.0);
    let called = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
    assert!(called.is_err(), "somebody called");
}

#[tokio::test]
async fn the_corpus_of_drawings_has_its_answers() {
    let Some(corpus) = corpus() else { return };
    for folder in ["svg", "bad"] {
        let folder = corpus.join(folder);
        let config = site(&format!("kind = \"dir\"\npath = \"{}\"", folder.display()));
        let pictor = Pictor::start(&format!("{config}{ALLOWED}")).await;
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if !name.contains(".svg") {
                continue;
            }
            let began = Instant::now();
            let (status, _, body) = get(&pictor, &format!("/{name}?imageMogr2/thumbnail/300x/format/webp")).await;
            println!("{name}: {status} {} bytes, {:?}", body.len(), began.elapsed());
            assert!([200, 400].contains(&status) && began.elapsed() < SOON, "{name}");
        }
        assert_eq!(pictor.metric("pictor_worker_events_total{event=\"died\"}").await, 0.0);
    }
}
