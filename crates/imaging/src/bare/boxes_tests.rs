//! One change at a time to a file that is bare: whatever could tell something takes its bare form away.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::boxes::strip;

const SECRET: &[u8] = b"SECRET-PLACE";

fn atom(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [&u32::try_from(data.len() + 8).unwrap().to_be_bytes()[..], kind, &data].concat()
}

/// Parts of a file of a coloured item 1 and its alpha, item 2.
struct File {
    handler: &'static [u8],
    /// Number, type and name.
    items: Vec<(u8, &'static [u8; 4], &'static [u8])>,
    links: Vec<(&'static [u8; 4], u8, u8)>,
    properties: Vec<Vec<u8>>,
    urn: &'static [u8],
    /// In the box of items, in that of properties, in front of the data, behind them.
    more: [Vec<u8>; 4],
    /// Items' data; what lies behind them in the same box.
    data: Vec<(u8, &'static [u8])>,
    behind: &'static [u8],
}

impl Default for File {
    fn default() -> Self {
        Self {
            handler: b"\0",
            items: vec![(1, b"av01", b"Color\0"), (2, b"av01", b"Alpha\0")],
            links: vec![(b"auxl", 2, 1), (b"prem", 1, 2)],
            properties: vec![
                atom(b"ispe", &[&[0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 8]]),
                atom(b"colr", &[b"nclx", &[0, 1, 0, 13, 0, 6, 0x80]]),
                atom(b"av1C", &[&[0x81, 0, 0x0c, 0]]),
            ],
            urn: b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0",
            more: [const { Vec::new() }; 4],
            data: vec![(1, b"colours"), (2, b"alpha")],
            behind: b"",
        }
    }
}

impl File {
    fn bytes(&self) -> Vec<u8> {
        // Offsets are of a fixed width.
        let length = self.head(0).len();
        let data: Vec<u8> = self.data.iter().flat_map(|(_, data)| data.to_vec()).collect();
        [self.head(length + 8), atom(b"mdat", &[&data, self.behind]), self.more[3].clone()].concat()
    }

    fn head(&self, start: usize) -> Vec<u8> {
        let infe =
            |(id, kind, name): &(u8, &[u8; 4], &[u8])| atom(b"infe", &[&[2, 0, 0, 0, 0, *id, 0, 0], *kind, *name]);
        let infes: Vec<u8> = self.items.iter().flat_map(infe).collect();
        let links: Vec<u8> =
            self.links.iter().flat_map(|(kind, from, to)| atom(kind, &[&[0, *from, 0, 1, 0, *to]])).collect();
        let mut iloc = vec![0, 0, 0, 0, 0x44, 0, 0, u8::try_from(self.data.len()).unwrap()];
        let mut at = start;
        for (item, data) in &self.data {
            iloc.extend([0, *item, 0, 0, 0, 1]);
            iloc.extend(u32::try_from(at).unwrap().to_be_bytes());
            iloc.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
            at += data.len();
        }
        let auxc = atom(b"auxC", &[&[0; 4], self.urn]);
        let ipco = atom(b"ipco", &[&self.properties.concat(), &auxc, &self.more[1]]);
        let ipma = atom(b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1]]);
        let meta = [
            atom(b"hdlr", &[&[0; 8], b"pict", &[0; 12], self.handler]),
            atom(b"pitm", &[&[0, 0, 0, 0, 0, 1]]),
            atom(b"iloc", &[&iloc]),
            atom(b"iinf", &[&[0, 0, 0, 0, 0, u8::try_from(self.items.len()).unwrap()], &infes]),
            atom(b"iref", &[&[0; 4], &links]),
            atom(b"iprp", &[&ipco, &ipma]),
            self.more[0].clone(),
        ];
        [atom(b"ftyp", &[b"avif\0\0\0\0avif"]), atom(b"meta", &[&[0; 4], &meta.concat()]), self.more[2].clone()]
            .concat()
    }
}

fn stands(file: &[u8]) -> bool {
    let mut out = Vec::new();
    let stands = strip(file, None, &mut out).is_some();
    assert!(!stands || out == file, "as it is");
    stands
}

#[test]
fn what_is_all_picture_stands() {
    for (what, file) in [
        ("as it is", File::default()),
        ("without names", File { items: vec![(1, b"av01", b"\0"), (2, b"hvc1", b"")], ..File::default() }),
        (
            "without alpha",
            File { items: vec![(1, b"av01", b"\0")], links: vec![], data: vec![(1, b"colours")], ..File::default() },
        ),
        ("of tiles", File { links: vec![(b"dimg", 1, 2)], ..File::default() }),
    ] {
        let whole = file.bytes();
        assert!(stands(&whole), "{what}");
        for length in 0..whole.len() {
            assert!(!stands(&whole[..length]), "{what}, cut off at {length}");
        }
    }
    let all = File { data: vec![(1, b"colours"), (2, b"")], behind: b"alpha", ..File::default() };
    assert!(!stands(&all.bytes()), "an extent of nothing is all of the file to readers");
    assert!(strip(&File::default().bytes(), Some(b"EXIF"), &mut Vec::new()).is_none(), "no place for EXIF");
}

/// Every carrier that is known, each of which is in the file.
#[test]
fn what_tells_more_does_not_stand() {
    let file = File::default;
    let place = |place: usize, more: Vec<u8>| {
        let mut file = file();
        file.more[place] = more;
        file
    };
    let item = |kind, name| File {
        items: [file().items, vec![(3, kind, name)]].concat(),
        data: vec![(1, b"colours"), (2, b"alpha"), (3, SECRET)],
        ..file()
    };
    let mut all = vec![
        ("the handler's name", File { handler: b"SECRET-PLACE\0", ..file() }),
        ("an item's name", File { items: vec![(1, b"av01", b"SECRET-PLACE\0"), (2, b"av01", b"\0")], ..file() }),
        ("EXIF", item(b"Exif", b"\0")),
        ("XMP", item(b"mime", b"\0application/rdf+xml\0")),
        ("an address", item(b"uri ", b"\0http://a/\0")),
        ("another picture", item(b"av01", b"\0")),
        ("a picture of an unknown kind", item(b"zzzz", b"\0")),
        ("behind the items' data", File { behind: SECRET, ..file() }),
        ("data of no item", File { data: vec![(1, b"colours"), (2, b"alpha"), (9, SECRET)], ..file() }),
        ("an auxiliary of another kind", File { urn: b"urn:com:SECRET-PLACE\0", ..file() }),
        (
            "behind the name of alpha",
            File { urn: b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0SECRET-PLACE", ..file() },
        ),
        ("behind a size", place(1, atom(b"ispe", &[&[0; 12], SECRET]))),
        ("behind the last box", place(3, SECRET.to_vec())),
    ];
    let thumbnail = [item(b"av01", b"\0")].map(|file| File { links: vec![(b"auxl", 2, 1), (b"thmb", 3, 1)], ..file });
    all.extend(thumbnail.map(|file| ("a thumbnail", file)));
    let description = [item(b"av01", b"\0")].map(|file| File { links: vec![(b"auxl", 2, 1), (b"cdsc", 3, 1)], ..file });
    all.extend(description.map(|file| ("a description", file)));
    #[rustfmt::skip]
    let kinds: [&[u8; 4]; 17] = [
        b"uuid", b"udta", b"meco", b"xml ", b"bxml", b"free", b"skip", b"mdta", b"ilst", b"keys", b"udes", b"grpl", b"moov", b"moof",
        b"mini", b"zzzz", b"meta",
    ];
    for kind in kinds {
        for at in 0..4 {
            all.push(("a box", place(at, atom(kind, &[SECRET]))));
        }
    }
    assert_eq!(all.len(), 15 + 4 * 17);
    for (what, file) in all {
        let bytes = file.bytes();
        let planted = bytes.windows(SECRET.len()).any(|window| window == SECRET);
        assert!(planted || what.contains("auxiliary"), "{what}: nothing is planted");
        let boxes = format!("{:?}", file.more.map(|more| String::from_utf8_lossy(&more).into_owned()));
        assert!(!stands(&bytes), "{what} {boxes}");
    }
}
