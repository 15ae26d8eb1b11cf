//! Draws marks on a made-up picture, to be looked at: `marks FOLDER` writes one PNG for each rule into the folder.

use std::error::Error;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pictor::config::FontsConfig;
use pictor::imaging::convert::Effort;
use pictor::imaging::{Job, Policy, convert_marked};
use pictor::plan::{Format, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::args().skip(1).find(|argument| argument != "--bench").map(PathBuf::from) else {
        println!("usage: marks FOLDER");
        return Ok(());
    };
    pictor::engine::load_fonts(&FontsConfig::default());
    let (picture, logo) = (png(480, 320, scene)?, png(96, 64, disc)?);
    let b64 = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let nested = |process: &str| b64(&format!("logo.png?x-oss-process=image/{process}"));
    let oss = |process: String| format!("x-oss-process=image/{process}");
    let hello = b64("Hello, 图片服务! مرحبا Ж");
    let mut rules = vec![
        ("plain", oss(format!("watermark,text_{hello},size_30,color_FFFFFF,shadow_60"))),
        ("turned", oss(format!("watermark,text_{hello},size_30,color_FFFF00,rotate_30,g_center"))),
        (
            "filled",
            oss(format!(
                "watermark,text_{},size_24,color_FFFFFF,t_60,rotate_330,fill_1,padx_20,pady_10",
                b64("水印 mark")
            )),
        ),
        (
            "batch",
            format!(
                "watermark/2/text/{}/fontsize/26/batch/1/degree/45/spacing/20/dissolve/60/fill/{}",
                b64("draft"),
                b64("#FF0000")
            ),
        ),
        ("points", format!("watermark/2/text/{}/gravity/northwest/dx/10/dy/10", b64("13 points, Tahoma's place"))),
        (
            "wide",
            format!(
                "watermark/2/text/{}/scatype/1/spcent/900/gravity/center/fill/{}",
                b64("as wide as asked"),
                b64("white")
            ),
        ),
        ("logo", format!("watermark/1/image_key/{}/gravity/northeast/dx/12/dy/12", b64("logo.png"))),
        ("logos", format!("watermark/1/image_key/{}/batch/1/degree/20/spacing/40/dissolve/50", b64("logo.png"))),
        ("third", oss(format!("watermark,image_{},g_sw", nested("resize,P_33")))),
        ("round", oss(format!("watermark,image_{},g_center,t_80", nested("rotate,45/rounded-corners,r_20")))),
        (
            "both",
            oss(format!(
                "watermark,image_{},text_{},size_36,color_FFFFFF,interval_12,align_1,g_south",
                b64("logo.png"),
                b64("Pictor 图")
            )),
        ),
        ("large", oss(format!("watermark,text_{},size_300,color_000000,t_40,g_center", b64("BIG")))),
        ("arabic", oss(format!("watermark,text_{},size_60,color_FFFFFF,g_center", b64("السلام عليكم")))),
        ("cjk", oss(format!("watermark,text_{},size_60,color_000000,g_center", b64("图片水印鬱")))),
    ];
    for g in ["nw", "north", "ne", "west", "center", "east", "sw", "south", "se"] {
        rules.push((g, oss(format!("watermark,text_{},g_{g},size_28,x_10,y_10", b64(g)))));
    }
    for (name, rule) in rules {
        let (_, plan) = pictor::dialect::parse_rule(&rule)?;
        let marks: Vec<&[u8]> = plan.mark_images().map(|_| logo.as_slice()).collect();
        let (limits, policy, effort) = (Limits::default(), Policy::default(), Effort::Interactive);
        let job = Job { plan, format: Format::Png, limits, policy, effort, threads: 1, budget_ms: 10_000 };
        let start = std::time::Instant::now();
        let (bytes, outcome) = convert_marked(&picture, &marks, &job)?;
        println!("{name}: {} us to draw, {} us in all", outcome.times.transform, start.elapsed().as_micros());
        std::fs::write(folder.join(format!("{name}.png")), bytes)?;
    }
    Ok(())
}

fn png(width: u32, height: u32, pixel: impl Fn(f64, f64) -> [u8; 4]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header()?;
    let at = |place: u32, whole: u32| (f64::from(place) + 0.5) / f64::from(whole);
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            data.extend(pixel(at(x, width), at(y, height)));
        }
    }
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(bytes)
}

/// A sky over hills.
fn scene(x: f64, y: f64) -> [u8; 4] {
    let hill = 0.55 + 0.12 * (x * 9.0).sin() + 0.05 * (x * 23.0).cos();
    let shade = |from: f64, to: f64, by: f64| (from + (to - from) * by) as u8;
    if y < hill {
        [shade(60.0, 200.0, y), shade(120.0, 220.0, y), shade(200.0, 240.0, y), 255]
    } else {
        [shade(90.0, 30.0, y), shade(140.0, 60.0, y), shade(60.0, 20.0, y), 255]
    }
}

/// An orange disc with a smooth edge on nothing.
fn disc(x: f64, y: f64) -> [u8; 4] {
    let far = ((x - 0.5).powi(2) * 2.25 + (y - 0.5).powi(2)).sqrt();
    let alpha = ((0.5 - far) * 40.0).clamp(0.0, 1.0);
    [240, if far < 0.25 { 230 } else { 120 }, 20, (alpha * 255.0) as u8]
}
