//! The vendors' own sample URLs, from a folder and from a private bucket, judged by independent decoders.

use std::path::Path;

use crate::shared::weed::Weed;
use crate::support::{Pictor, client, demo, judged, site, until};

/// Path, media type, extension, width and height. The originals are 1200x800 (PNG) and 2400x1350 (JPEG).
const SAMPLES: [(&str, &str, &str, (u32, u32)); 6] = [
    ("/sample.png?imageMogr2/format/avif", "image/avif", "avif", (1200, 800)),
    ("/sample.png?imageMogr2/format/heif", "image/heif", "heic", (1200, 800)),
    ("/sample.png?x-oss-process=image/format,heic", "image/heic", "heic", (1200, 800)),
    ("/sample.jpg?x-oss-process=image/format,heic/resize,l_900,h_600", "image/heic", "heic", (1067, 600)),
    ("/sample.png?x-oss-process=image/format,webp", "image/webp", "webp", (1200, 800)),
    ("/sample.jpg?imageMogr2/thumbnail/!50p", "image/jpeg", "jpg", (1200, 675)),
];

async fn samples(pictor: &Pictor) {
    for (path, media_type, extension, size) in SAMPLES {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], media_type, "{path}");
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(judged(&bytes, extension), size, "{path}");
        if path.contains(".png?") && (extension == "avif" || extension == "heic") {
            let original = std::fs::metadata(demo().join("sample.png")).unwrap().len();
            assert!(bytes.len() as u64 * 10 <= original, "{path}: {} of {original} bytes", bytes.len());
        }
    }
}

#[tokio::test]
async fn samples_from_a_folder() {
    samples(&Pictor::demo().await).await;
}

#[tokio::test]
async fn samples_from_a_private_bucket() {
    let weed = tokio::task::spawn_blocking(Weed::shared).await.unwrap();
    let bucket = pictor::origin::build(&weed.bucket("photos", true), Path::new("/")).unwrap();
    for name in ["sample.png", "sample.jpg"] {
        let key = pictor::origin::ObjectKey::from_text(name).unwrap();
        let bytes = std::fs::read(demo().join(name)).unwrap().into();
        bucket.put(&key, bytes, &pictor::origin::PutOptions::default()).await.unwrap();
    }
    let direct = client().get(format!("{}/photos/sample.png", weed.endpoint())).send().await.unwrap();
    assert_eq!(direct.status(), 403, "the bucket must be private");
    let origin = |key: &str| {
        let (endpoint, access) = (weed.endpoint(), weed.access_key_file());
        format!(
            "kind = \"s3\"\nendpoint = \"{endpoint}\"\nbucket = \"photos\"\naccess_key_file = \"{}\"\n{key}",
            access.display()
        )
    };
    let right = format!("secret_key_file = \"{}\"", weed.secret_key_file().display());
    let pictor = Pictor::start(&site(&origin(&right))).await;
    samples(&pictor).await;
    // The original passes through, whole and in part, although the client has no key.
    let original = std::fs::read(demo().join("sample.png")).unwrap();
    let answer = client().get(pictor.url("/sample.png")).send().await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), original);
    let answer = client().get(pictor.url("/sample.png")).header("Range", "bytes=100-199").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.bytes().await.unwrap()[..]), (206, &original[100..200]));
    // Nobody without a signature gets the rights of the site's key.
    for (method, path) in [("PUT", "/x.png"), ("DELETE", "/sample.png"), ("GET", "/"), ("GET", "/sample.png?acl")] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = client().request(method.clone(), pictor.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{method} {path}");
    }
    // A wrong secret is the origin's refusal, said without the secret.
    let wrong = site(&origin("secret_key_env = \"T_SECRET\""));
    let wrong = Pictor::start_with(&wrong, &[("T_SECRET", "WRONGSECRET")]).await;
    let answer = client().get(wrong.url("/sample.png?imageInfo")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let text = answer.text().await.unwrap();
    until("the operator reads why", || wrong.logged("our signature does not match")).await;
    let log = wrong.log.lock().unwrap().join("\n");
    assert!(!text.contains("signature") && !text.contains("WRONGSECRET") && !log.contains("WRONGSECRET"), "{text}");
}

#[tokio::test]
async fn facts_in_both_dialects() {
    let pictor = Pictor::demo().await;
    let tencent: serde_json::Value = serde_json::from_str(
        &client().get(pictor.url("/sample.jpg?imageInfo")).send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    assert_eq!(
        (&tencent["format"], &tencent["width"], &tencent["height"]),
        (&"jpeg".into(), &"2400".into(), &"1350".into())
    );
    let aliyun: serde_json::Value = serde_json::from_str(
        &client().get(pictor.url("/sample.jpg?x-oss-process=image/info")).send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    assert_eq!(aliyun["ImageWidth"]["value"], "2400");
    assert_eq!(aliyun["Format"]["value"], "jpg");
    let size = std::fs::metadata(demo().join("sample.jpg")).unwrap().len().to_string();
    assert_eq!((aliyun["FileSize"]["value"].as_str(), tencent["size"].as_str()), (Some(&size[..]), Some(&size[..])));
}

#[tokio::test]
async fn every_encoding_of_a_rule_is_one_variant() {
    let pictor = Pictor::demo().await;
    let mut tags = Vec::new();
    for path in [
        "/chelsea.png?imageMogr2/thumbnail/!50p/format/webp",
        "/chelsea.png?imageMogr2%2Fthumbnail%2F%2150p%2Fformat%2Fwebp=",
        "/chelsea.png?q-sign-algorithm=sha1&q-ak=x&imageMogr2/thumbnail/!50p/format/webp&q-signature=y",
        "/chelsea.png?imageMogr2/thumbnail/!50p%7CimageMogr2/format/webp",
        "/chelsea%2Epng?imageMogr2/format/webp/thumbnail/!50p",
    ] {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        tags.push(answer.headers()["etag"].clone());
    }
    assert!(tags.windows(2).all(|pair| pair[0] == pair[1]), "{tags:?}");
    assert_eq!(pictor.metric("pictor_conversions_total").await, 1.0, "signatures and spellings never enter the key");
}

/// Rules of the two dialects that mean the same for a still picture: the same bytes, from one conversion where even their
/// plans are the same.
#[tokio::test]
async fn what_means_the_same_gives_the_same_bytes() {
    let pictor = Pictor::demo().await;
    for (tencent, aliyun) in [
        ("imageMogr2/format/webp", "image/format,webp"),
        ("imageMogr2/thumbnail/!50p", "image/resize,p_50"),
        ("imageMogr2/thumbnail/300x200>", "image/resize,w_300,h_200"),
        ("imageMogr2/thumbnail/300x", "image/resize,w_300,limit_0"),
        ("imageMogr2/thumbnail/300x200!", "image/resize,m_fixed,w_300,h_200"),
        ("imageMogr2/thumbnail/300x300/pad/1", "image/resize,m_pad,w_300,h_300"),
        ("imageMogr2/crop/300x300/gravity/center", "image/resize,m_fill,w_300,h_300"),
        ("imageView2/1/w/300/h/200", "image/resize,m_fill,w_300,h_200"),
        ("imageMogr2/cut/600x400x100x10", "image/crop,x_100,y_10,w_600,h_400"),
        ("imageMogr2/thumbnail/300x|imageMogr2/rotate/90", "image/resize,w_300/rotate,90"),
        ("imageMogr2/thumbnail/300x|imageMogr2/rotate/45/format/png", "image/resize,w_300/rotate,45/format,png"),
        (
            "imageMogr2/thumbnail/300x|imageMogr2/rradius/30/format/png",
            "image/resize,w_300/rounded-corners,r_30/format,png",
        ),
        ("imageMogr2/thumbnail/300x|imageMogr2/blur/3x2", "image/resize,w_300/blur,r_3,s_2"),
        ("imageMogr2/thumbnail/300x|imageMogr2/bright/30", "image/resize,w_300/bright,30"),
        ("imageMogr2/thumbnail/300x|imageMogr2/contrast/-20", "image/resize,w_300/contrast,-20"),
        ("imageMogr2/thumbnail/300x|imageMogr2/sharpen/100", "image/resize,w_300/sharpen,100"),
        ("imageMogr2/thumbnail/300x/rquality/80", "image/resize,w_300/quality,q_80"),
        ("imageMogr2/thumbnail/300x/interlace/1/format/jpg", "image/resize,w_300/interlace,1/format,jpg"),
    ] {
        let get = async |query: &str| {
            let answer = client().get(pictor.url(&format!("/sample.jpg?{query}"))).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{query}");
            answer.bytes().await.unwrap()
        };
        let (left, right) = (get(tencent).await, get(&format!("x-oss-process={aliyun}")).await);
        assert!(left == right, "{tencent} and {aliyun}");
    }
}
