//! What a quality number is worth: the vendors mean libjpeg's scale, and jpegli's tables do not say their number to other
//! programs. So files of equal number are held beside ImageMagick's, whose encoder is libjpeg's.

use std::process::Command;

use pictor::imaging::score::Reference;
use pictor::imaging::{Channels, Pixels};

use super::look::Canvas;
use crate::support::{Pictor, client, demo, have};

#[tokio::test(flavor = "multi_thread")]
async fn a_quality_is_worth_what_libjpegs_is() {
    assert!(have("convert"), "convert is not here; run scripts/setup test");
    let pictor = Pictor::demo().await;
    let folder = tempfile::tempdir().unwrap();
    let photo = demo().join("sample.png");
    let reference = Reference::new(&rgb(&Canvas::read(&std::fs::read(&photo).unwrap()).unwrap())).unwrap();
    let mut last = 0.0;
    for quality in [45_u8, 60, 70, 80, 85, 90, 95] {
        let url = pictor.url(&format!("/sample.png?imageMogr2/format/jpg/quality/{quality}!"));
        let ours = client().get(url).send().await.unwrap().bytes().await.unwrap();
        let (mine, theirs) = (folder.path().join("ours.jpg"), folder.path().join("theirs.jpg"));
        std::fs::write(&mine, &ours).unwrap();
        let done = Command::new("convert").arg(&photo).args(["-quality", &quality.to_string()]).arg(&theirs).status();
        assert!(done.unwrap().success());
        let score = |file| reference.score(&rgb(&Canvas::open(file).unwrap())).unwrap();
        let (here, there) = (score(&mine), score(&theirs));
        let bytes = std::fs::metadata(&theirs).unwrap().len();
        println!("{quality}: {here:.1} in {} bytes, libjpeg's {there:.1} in {bytes}", ours.len());
        // At 90 ImageMagick stops halving the chroma, for half as many bytes again.
        assert!((here - there).abs() < 4.0, "{quality}: SSIMULACRA2 of {here:.1}, libjpeg's has {there:.1}");
        // Around 60 our chroma has full resolution already, and ImageMagick's not yet.
        let share = ours.len() as f64 / bytes as f64;
        assert!(share < 1.1, "{quality}: {} bytes, libjpeg's has {bytes}", ours.len());
        assert!(here > last, "{quality}: {here:.1} is no better than what a lower number gives, {last:.1}");
        last = here;
    }
}

fn rgb(canvas: &Canvas) -> Pixels {
    let places = (0..canvas.height).flat_map(|y| (0..canvas.width).map(move |x| (x, y)));
    let data = places.flat_map(|(x, y)| canvas.at(x, y)[..3].to_vec()).collect();
    Pixels::new(canvas.width, canvas.height, Channels::Rgb, data).unwrap()
}
