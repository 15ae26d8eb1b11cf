//! Marks through the whole service: fonts in sealed workers, pictures of the same bucket, their freshness, their errors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::support::{Act, Origin, Pictor, client, demo, missing, site};

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A PNG of one colour.
fn png(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&colour.repeat((width * height) as usize)).unwrap();
    writer.finish().unwrap();
    bytes
}

/// The pixel at a place of a PNG without alpha.
fn pixel(bytes: &[u8], x: usize, y: usize) -> [u8; 3] {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    let each = info.color_type.samples();
    let at = y * info.line_size + x * each;
    if each < 3 { [data[at]; 3] } else { [data[at], data[at + 1], data[at + 2]] }
}

const WHITE: [u8; 3] = [255; 3];
const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

async fn bucket() -> (Origin, Pictor) {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(png(100, 100, WHITE))).script("/m/r%20d.png", Act::Give(png(20, 10, RED)));
    let pictor = Pictor::before(&origin).await;
    (origin, pictor)
}

#[tokio::test]
async fn text_is_written_in_sealed_workers() {
    let pictor = Pictor::demo().await;
    let get = |rule: &str| client().get(pictor.url(&format!("/chelsea.png?{rule}"))).send();
    let plain = get("imageMogr2/format/png").await.unwrap().bytes().await.unwrap();
    for rule in [
        format!("imageMogr2/format/png|watermark/2/text/{}/fontsize/40", b64("水印 mark مرحبا")),
        format!("x-oss-process=image/format,png/watermark,text_{},fill_1,rotate_30", b64("水印")),
    ] {
        let answer = get(&rule).await.unwrap();
        if answer.status() == 501 {
            assert!(answer.text().await.unwrap().contains("engine.fonts.paths"));
            return missing("fonts");
        }
        assert_eq!(answer.status(), 200, "{rule}");
        assert_ne!(answer.bytes().await.unwrap(), plain, "{rule}");
    }
}

#[tokio::test]
async fn without_fonts_the_key_is_named() {
    let origin = "kind = \"dir\"\npath = \"DEMO\"";
    let pictor = Pictor::start(&format!("[engine.fonts]\npaths = []\n{}", site(origin))).await;
    let answer = client().get(pictor.url("/chelsea.png?watermark/2/text/SGk")).send().await.unwrap();
    assert_eq!(answer.status(), 501);
    assert!(answer.text().await.unwrap().contains("engine.fonts.paths"));
}

#[tokio::test]
async fn a_picture_of_the_bucket_is_drawn_where_it_belongs() {
    let (origin, pictor) = bucket().await;
    let get = |rule: String| client().get(pictor.url(&format!("/a.png?{rule}"))).send();
    let tencent = format!("watermark/1/image/{}/dissolve/100/dx/5", b64("http://b.example/m/r%20d.png"));
    let answer = get(tencent.clone()).await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap();
    assert_eq!([pixel(&bytes, 75, 90), pixel(&bytes, 94, 99), pixel(&bytes, 95, 99)], [RED, RED, WHITE]);
    let nested = b64("m/r d.png?x-oss-process=image/resize,P_40");
    let answer = get(format!("x-oss-process=image/watermark,image_{nested},g_nw,x_0,y_0,t_50")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap();
    assert_eq!([pixel(&bytes, 39, 19), pixel(&bytes, 40, 19), pixel(&bytes, 0, 20)], [[255, 128, 128], WHITE, WHITE]);
    assert_eq!(origin.seen().len(), 2, "each object is fetched once");
    let again = get(tencent).await.unwrap();
    assert_eq!(again.headers()["cache-status"], "pictor; hit");
}

#[tokio::test]
async fn a_changed_mark_changes_the_answer() {
    let (origin, pictor) = bucket().await;
    let url = pictor.url(&format!("/a.png?watermark/1/image_key/{}/dissolve/100", b64("m/r d.png")));
    let get = || client().get(&url).send();
    assert_eq!(pixel(&get().await.unwrap().bytes().await.unwrap(), 99, 99), RED);
    // Written through the shield: known at once.
    origin.script("/m/r%20d.png", Act::Give(png(20, 10, BLUE)));
    assert_eq!(client().put(pictor.url("/m/r%20d.png")).body("x").send().await.unwrap().status(), 200);
    let answer = get().await.unwrap();
    assert_eq!(answer.headers()["cache-status"], "pictor; fwd=miss; stored");
    assert_eq!(pixel(&answer.bytes().await.unwrap(), 99, 99), BLUE);
}

#[tokio::test]
async fn a_mark_is_revalidated_as_originals_are() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(png(100, 100, WHITE))).script("/m.png", Act::Give(png(20, 10, RED)));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{config}[site.cache]\nfresh = \"0s\"\n")).await;
    let url = pictor.url(&format!("/a.png?watermark/1/image_key/{}/dissolve/100", b64("m.png")));
    let get = || client().get(&url).send();
    let first = get().await.unwrap();
    let second = get().await.unwrap();
    assert_eq!(second.headers()["cache-status"], "pictor; fwd=stale; fwd-status=304");
    assert_eq!(first.headers()["etag"], second.headers()["etag"]);
    assert_eq!(pictor.metric("pictor_conversions_total").await, 1.0);
    origin.script("/m.png", Act::Give(png(20, 10, BLUE)));
    let third = get().await.unwrap();
    assert_ne!(first.headers()["etag"], third.headers()["etag"]);
    assert_eq!(
        third.headers()["cache-status"],
        "pictor; fwd=stale; stored",
        "the original is what it was, the mark is not"
    );
    assert_eq!(pictor.metric("pictor_conversions_total").await, 2.0);
}

/// What is remembered is that the mark is not there. The answer to this question is not, and does not say so.
#[tokio::test]
async fn a_missing_mark_is_remembered_and_the_answer_is_not_stored() {
    let (origin, pictor) = bucket().await;
    let status = async || {
        let url = pictor.url(&format!("/a.png?watermark/1/image_key/{}", b64("none.png")));
        let answer = client().get(url).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        answer.headers()["cache-status"].to_str().unwrap().to_owned()
    };
    assert_eq!(status().await, "pictor; fwd=miss");
    // The picture that it was to mark is another object, and is remembered for itself.
    assert_eq!(origin.seen().iter().filter(|head| head.starts_with("get /a.png ")).count(), 1);
}

#[tokio::test]
async fn a_mark_that_cannot_be_is_the_vendors_error() {
    let (origin, pictor) = bucket().await;
    origin.script("/text.png", Act::Give(b"no picture".to_vec()));
    origin.script("/anim.gif", Act::Give(std::fs::read(demo().join("anim.gif")).unwrap()));
    origin.script("/broken.png", Act::Status(500));
    let aliyun = |path: &'static str, object: &'static str| {
        let url = pictor.url(&format!("{path}?x-oss-process=image/watermark,image_{}", b64(object)));
        async move {
            let answer = client().get(url).send().await.unwrap();
            let ec = answer.headers().get("x-oss-ec").map(|ec| ec.to_str().unwrap()[10..].to_owned());
            (answer.status().as_u16(), ec.unwrap_or_default())
        }
    };
    assert_eq!(aliyun("/a.png", "none.png").await, (400, "025".into()));
    assert_eq!(aliyun("/a.png", "../none.png").await, (400, "025".into()));
    assert_eq!(aliyun("/a.png", "text.png").await, (400, "027".into()));
    assert_eq!(aliyun("/a.png", "anim.gif").await, (400, "027".into()));
    assert_eq!(aliyun("/none.png", "none.png").await, (404, "024".into()), "the original's own error comes first");
    assert_eq!(aliyun("/a.png", "broken.png").await.0, 502);
}

#[tokio::test]
async fn no_rule_makes_the_service_ask_another_host() {
    let (other, origin) = (Origin::start().await, Origin::start().await);
    other.script("/m.png", Act::Give(png(9, 9, RED)));
    origin.script("/a.png", Act::Give(png(100, 100, WHITE))).script("/m.png", Act::Give(png(9, 9, BLUE)));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let config = config.replace("[\"*\"]", "[\"127.0.0.1\", \"img.example\"]\nmark_hosts = [\"b.cos.example\"]");
    let pictor = Pictor::start(&config).await;
    let get = |host: String| {
        let rule = format!("watermark/1/image/{}/dissolve/100", b64(&format!("http://{host}/m.png")));
        client().get(pictor.url(&format!("/a.png?{rule}"))).send()
    };
    let refused = get(format!("localhost:{}", other.address.port())).await.unwrap();
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.headers()["x-errno"], "-106");
    for host in ["img.example", "B.COS.example:80", "127.0.0.1"] {
        let answer = get(host.into()).await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        assert_eq!(pixel(&answer.bytes().await.unwrap(), 99, 99), BLUE, "{host}");
    }
    assert!(other.seen().is_empty());
}
