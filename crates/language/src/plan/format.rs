//! Picture formats: names, media types, and what each can hold.

use serde::{Deserialize, Serialize};

/// `Name: name, another name that is understood, media type, another one, longest side, [what is true of it]`
macro_rules! formats {
    ($($format:ident: $name:literal, $alias:literal, $media:literal, $other:literal, $side:literal, [$($trait:ident)*];)+) => {
        /// A picture format, by content. `Tpg`, `Jxl` and `Svg` are recognised; whether a format can be read or written is
        /// the business of `imaging`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        #[allow(missing_docs)]
        pub enum Format {
            $($format,)+
        }

        impl Format {
            /// Every format, in the order of this list.
            pub const ALL: [Self; [$(Self::$format),+].len()] = [$(Self::$format),+];

            // A format may have all that there is.
            #[allow(clippy::needless_update)]
            const fn row(self) -> Row {
                match self {
                    $(Self::$format => Row {
                        name: $name,
                        alias: $alias,
                        media_type: $media,
                        other_type: $other,
                        max_side: $side,
                        $($trait: true,)*
                        ..NOTHING
                    },)+
                }
            }
        }
    };
}

/// What is known of a format.
struct Row {
    name: &'static str,
    alias: &'static str,
    media_type: &'static str,
    other_type: &'static str,
    max_side: u32,
    alpha: bool,
    quality: bool,
    advanced: bool,
    animates: bool,
    browsers: bool,
    risky: bool,
}

const NOTHING: Row = Row {
    name: "",
    alias: "",
    media_type: "",
    other_type: "",
    max_side: 0,
    alpha: false,
    quality: false,
    advanced: false,
    animates: false,
    browsers: false,
    risky: false,
};

// Media types are those of the IANA registry; `image/tpg` is the vendor's.
formats! {
    Jpeg: "jpeg", "jpg", "image/jpeg", "", 65_500, [quality browsers];
    Png: "png", "", "image/png", "", 65_535, [alpha browsers];
    Gif: "gif", "", "image/gif", "", 65_535, [alpha animates browsers];
    Bmp: "bmp", "", "image/bmp", "", 65_535, [alpha browsers];
    WebP: "webp", "", "image/webp", "", 16_383, [alpha quality animates browsers risky];
    Avif: "avif", "", "image/avif", "", 65_535, [alpha quality advanced animates browsers risky];
    Heif: "heif", "heic", "image/heif", "image/heic", 16_383, [alpha quality advanced risky];
    Tiff: "tiff", "tif", "image/tiff", "", 65_535, [alpha risky];
    Ico: "ico", "", "image/x-icon", "image/vnd.microsoft.icon", 65_535, [alpha browsers];
    Jxl: "jxl", "", "image/jxl", "", 65_535, [alpha risky];
    Svg: "svg", "", "image/svg+xml", "", 65_535, [alpha risky];
    Tpg: "tpg", "", "image/tpg", "", 16_383, [alpha quality advanced risky];
}

impl Format {
    /// Lower-case name for keys, metrics and configuration.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The format of a name as [`Self::name`] writes it; `jpg`, `heic` and `tif` are understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        let is = |row: Row| row.name == name || (row.alias == name && !name.is_empty());
        Self::ALL.into_iter().find(|format| is(format.row()))
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        self.row().media_type
    }

    /// The media types by which a client names it in `Accept`.
    pub fn media_types(self) -> impl Iterator<Item = &'static str> {
        let Row { media_type, other_type, .. } = self.row();
        [media_type, other_type].into_iter().filter(|name| !name.is_empty())
    }

    /// Whether every browser of today shows it. SVG is not among them: a drawing that is opened by itself runs its scripts.
    pub fn shown_by_browsers(self) -> bool {
        self.row().browsers
    }

    /// Whether its decoder is a library in C whose like has run crafted files' code, reads files within files, or is somebody
    /// else's. Of the others all but JPEG's are Rust; that one is the bulk of all work, and has been under attack for longest.
    pub fn is_risky(self) -> bool {
        self.row().risky
    }

    /// Whether a picture in this format can be partly transparent.
    pub fn has_alpha(self) -> bool {
        self.row().alpha
    }

    /// Whether it is written with a quality of 1 to 100.
    pub fn has_quality(self) -> bool {
        self.row().quality
    }

    /// Whether writing it is "advanced compression", which both clouds let a bucket turn off and bill by the picture
    /// (tencent-ci §2.8, aliyun-oss §3.1), and to which tighter limits apply.
    pub fn is_advanced(self) -> bool {
        self.row().advanced
    }

    /// Whether an animation can be written in this format.
    pub fn animates(self) -> bool {
        self.row().animates
    }

    /// The longest side that the format (or its encoder here) can hold.
    pub fn max_side(self) -> u32 {
        self.row().max_side
    }
}
