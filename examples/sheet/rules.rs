//! What is drawn: every operation at least once, in the order of `pictor explain --list`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The picture that a rule is drawn on.
#[derive(Clone, Copy)]
pub enum Drawn {
    Photo,
    Jpeg,
    /// A JPEG that lies on its side and says so in its EXIF.
    Turned,
    Moving,
    Hills,
}

pub struct Rule {
    pub text: String,
    pub on: Drawn,
}

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A JPEG with an EXIF orientation of 6.
pub fn oriented(jpeg: &[u8]) -> Vec<u8> {
    let block = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let length = (block.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, block, &jpeg[2..]].concat()
}

/// The picture is 451 x 300.
pub fn tencent() -> Vec<Rule> {
    use Drawn::*;
    let mogr = [
        (Photo, "strip"),
        (Turned, "rotate/0"),
        (Turned, "auto-orient"),
        (Photo, "thumbnail/!50p"),
        (Photo, "thumbnail/!50px"),
        (Photo, "thumbnail/!x50p"),
        (Photo, "thumbnail/300x"),
        (Photo, "thumbnail/x200"),
        (Photo, "thumbnail/200x200"),
        (Photo, "thumbnail/!200x200r"),
        (Photo, "thumbnail/900x900>"),
        (Photo, "thumbnail/900x900<"),
        (Photo, "thumbnail/300x300!"),
        (Photo, "thumbnail/20000@"),
        (Photo, "thumbnail/300x300/pad/1"),
        (Photo, "thumbnail/300x300/pad/1/color/IzNEM0QzRA"),
        (Photo, "cut/200x150x150x40"),
        (Photo, "cut/200x150x20x20/gravity/southeast"),
        (Photo, "crop/200x200"),
        (Photo, "crop/200x200/gravity/west"),
        (Photo, "crop/200x"),
        (Photo, "crop/x100/gravity/north"),
        (Photo, "crop/!200x150a60a40"),
        (Photo, "crop/!200x150-60a40"),
        (Photo, "crop/200x200/gravity/east/dx/60"),
        (Photo, "crop/x150/gravity/south/dy/80"),
        (Photo, "rcrop/0.75x1"),
        (Photo, "scrop/200x200"),
        (Photo, "indexcrop/width/200/height/150/index/4"),
        (Photo, "rotate/90"),
        (Photo, "rotate/30"),
        (Photo, "flip/horizontal"),
        (Photo, "flip/vertical"),
        (Photo, "iradius/120"),
        (Photo, "rradius/60"),
        (Jpeg, "iradius/120"),
        (Photo, "blur/8x5"),
        (Photo, "sharpen/300"),
        (Photo, "bright/40"),
        (Photo, "bright/-40"),
        (Photo, "contrast/40"),
        (Photo, "contrast/-60"),
        (Photo, "grayscale/1"),
        (Photo, "format/jpg/quality/75"),
        (Jpeg, "quality/10!"),
        (Jpeg, "rquality/30"),
        (Jpeg, "quality/10/lquality/50"),
        (Photo, "format/webp/quality/auto"),
        (Photo, "format/avif"),
        (Photo, "format/heif"),
        (Photo, "format/jpg/size-limit/8k"),
        (Photo, "format/jpg/interlace/1"),
        (Photo, "format/gif"),
        (Photo, "ignore-error/1/format/png"),
        (Moving, "cgif/6"),
        (Moving, "cgif/100/egif/4"),
        (Moving, "frame/7"),
        (Moving, "format/avif"),
    ];
    let whole = [
        (Photo, "imageView2/0/w/300/h/200".to_owned()),
        (Photo, "imageView2/1/w/200/h/200".into()),
        (Photo, "imageView2/2/w/200/h/200".into()),
        (Photo, "imageView2/3/w/200/h/200".into()),
        (Photo, "imageView2/4/w/300/h/150".into()),
        (Photo, "imageView2/5/w/300/h/150/q/85/format/jpg".into()),
        (Jpeg, "imageView2/2/w/300/rq/20/lq/40/ignore-error/1".into()),
        (Photo, "imageMogr2/thumbnail/!50p|imageMogr2/crop/150x150".into()),
        (Jpeg, "imageSlim".into()),
        (Photo, "imageInfo".into()),
        (Photo, "imageMogr2/thumbnail/200x/format/webp|imageInfo".into()),
        (Photo, "imageAve".into()),
        (Turned, "exif".into()),
        (Photo, format!("watermark/1/image_key/{}/dx/12/dy/12", b64("logo.png"))),
        (Photo, format!("watermark/1/image_key/{}/batch/1/degree/20/spacing/40/dissolve/50", b64("logo.png"))),
        (Photo, format!("watermark/1/image/{}/gravity/west/blogo/1", b64("http://b.example/logo.png"))),
        (Photo, format!("watermark/1/image_key/{}/scatype/1/spcent/600/gravity/center", b64("logo.png"))),
        (Photo, format!("watermark/2/text/{}/fill/{}/fontsize/40", b64("Hello"), b64("#FFFFFF"))),
        (Photo, format!("watermark/2/text/{}/fontsize/48/gravity/center/fill/{}/shadow/70", b64("图片"), b64("white"))),
        (Photo, format!("watermark/2/text/{}/gravity/northwest/dx/20/dy/40/scatype/1/spcent/500", b64("half"))),
        (Photo, format!("watermark/2/text/{}/font/{}/fontsize/30/ignore-error/1", b64("font"), b64("simkai楷体.ttf"))),
        (Photo, format!("watermark/1/image_key/{}/gravity/north/ignore-error/1", b64("logo.png"))),
        (
            Photo,
            format!(
                "watermark/2/text/{}/fontsize/30/batch/1/degree/45/spacing/20/dissolve/60/fill/{}",
                b64("draft"),
                b64("#FF0000")
            ),
        ),
    ];
    let mogr = mogr.into_iter().map(|(on, text)| Rule { text: format!("imageMogr2/{text}"), on });
    mogr.chain(whole.into_iter().map(|(on, text)| Rule { text, on })).collect()
}

pub fn aliyun() -> Vec<Rule> {
    use Drawn::*;
    let nested = |process: &str| b64(&format!("logo.png?x-oss-process=image/{process}"));
    let rules = [
        (Photo, "rotate,0".to_owned()),
        (Turned, "auto-orient,0".into()),
        (Turned, "auto-orient,1".into()),
        (Photo, "resize,w_300".into()),
        (Photo, "resize,h_200".into()),
        (Photo, "resize,m_lfit,w_200,h_200".into()),
        (Photo, "resize,m_mfit,w_200,h_200".into()),
        (Photo, "resize,m_fill,w_200,h_200".into()),
        (Photo, "resize,m_pad,w_300,h_300,color_FF0000".into()),
        (Photo, "resize,m_fixed,w_300,h_300".into()),
        (Photo, "resize,l_200".into()),
        (Photo, "resize,s_200".into()),
        (Photo, "resize,p_50".into()),
        (Photo, "resize,w_900".into()),
        (Photo, "resize,w_900,limit_0".into()),
        (Photo, "crop,x_150,y_40".into()),
        (Photo, "crop,w_200,h_150,g_center".into()),
        (Photo, "crop,w_200,h_150,g_se".into()),
        (Photo, "crop,w_200,h_150,g_se,x_80,y_60".into()),
        (Photo, "rotate,90".into()),
        (Photo, "rotate,30".into()),
        (Jpeg, "rotate,30".into()),
        (Photo, "circle,r_120".into()),
        (Jpeg, "circle,r_4096".into()),
        (Photo, "rounded-corners,r_60".into()),
        (Photo, "indexcrop,x_150,i_1".into()),
        (Photo, "indexcrop,y_100,i_2".into()),
        (Photo, "blur,r_8,s_5".into()),
        (Photo, "bright,40".into()),
        (Photo, "bright,-40".into()),
        (Photo, "contrast,40".into()),
        (Photo, "contrast,-60".into()),
        (Photo, "sharpen,399".into()),
        (Photo, "format,jpg".into()),
        (Jpeg, "quality,Q_10".into()),
        (Jpeg, "quality,q_30".into()),
        (Photo, "format,webp/quality,auto".into()),
        (Photo, "format,avif".into()),
        (Photo, "format,heic".into()),
        (Photo, "format,jpg/interlace,1".into()),
        (Moving, "resize,w_150/format,gif".into()),
        (Moving, "resize,p_50".into()),
        (Photo, "info".into()),
        (Photo, "average-hue".into()),
        (Photo, "resize,w_300|image/rotate,90".into()),
        (Photo, format!("watermark,text_{},size_40,color_FFFFFF", b64("Hello"))),
        (Photo, format!("watermark,text_{},size_48,color_FFFF00,shadow_60,rotate_30,g_center", b64("图片服务"))),
        (Photo, format!("watermark,text_{},size_24,color_FFFFFF,t_60,rotate_330,fill_1,padx_20,pady_10", b64("水印"))),
        (Photo, format!("watermark,image_{},g_nw", b64("logo.png"))),
        (Photo, format!("watermark,image_{},g_sw,t_80", nested("resize,P_50"))),
        (Photo, format!("watermark,image_{},g_center", nested("rotate,45/rounded-corners,r_20"))),
        (
            Photo,
            format!(
                "watermark,image_{},text_{},size_36,color_FFFFFF,interval_12,align_1,g_south",
                b64("logo.png"),
                b64("Pictor")
            ),
        ),
        (
            Photo,
            format!(
                "watermark,image_{0},g_ne/watermark,text_{1},g_west,voffset_-60,size_30,color_FFFFFF",
                b64("logo.png"),
                b64("two")
            ),
        ),
        (Photo, format!("watermark,image_{},fill_1,padx_30,pady_30,t_70", b64("logo.png"))),
    ];
    rules.into_iter().map(|(on, text)| Rule { text: format!("x-oss-process=image/{text}"), on }).collect()
}

/// Marks in several scripts, of extreme sizes, and at all nine places.
pub fn marks() -> Vec<Rule> {
    let oss = |text: &str, more: &str| format!("x-oss-process=image/watermark,text_{},{more}", b64(text));
    let hello = "Hello, 图片服务! مرحبا Ж";
    let mut rules = vec![
        oss(hello, "size_30,color_FFFFFF,shadow_60"),
        oss(hello, "size_30,color_FFFF00,rotate_30,g_center"),
        oss("السلام عليكم", "size_60,color_FFFFFF,g_center"),
        oss("图片水印鬱", "size_60,color_000000,g_center"),
        oss("BIG", "size_300,color_000000,t_40,g_center"),
        format!("watermark/2/text/{}/gravity/northwest/dx/10/dy/10", b64("13 points, Tahoma's place")),
        format!(
            "watermark/2/text/{}/scatype/1/spcent/900/gravity/center/fill/{}",
            b64("as wide as asked"),
            b64("white")
        ),
    ];
    rules.extend(
        ["nw", "north", "ne", "west", "center", "east", "sw", "south", "se"]
            .map(|g| oss(g, &format!("g_{g},size_40,x_10,y_10"))),
    );
    rules.into_iter().map(|text| Rule { text, on: Drawn::Hills }).collect()
}
