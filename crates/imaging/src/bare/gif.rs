//! GIF (87a, 89a): pictures with their times, how often they play, and the profile.

/// Applications that say how often the picture plays.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
/// The application whose data is the profile of the colours.
const PROFILE: &[u8] = b"ICCRGBG1012";

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    // No place for an orientation.
    exif.is_none().then_some(())?;
    (source.starts_with(b"GIF87a") || source.starts_with(b"GIF89a")).then_some(())?;
    let mut at = 13usize.checked_add(table(*source.get(10)?))?;
    out.extend_from_slice(source.get(..at)?);
    loop {
        at = match *source.get(at)? {
            0x2c => {
                // The place, the colours, the size of the first code.
                let data = at.checked_add(11)?.checked_add(table(*source.get(at.checked_add(9)?)?))?;
                let next = sub_blocks(source, data)?;
                out.extend_from_slice(source.get(at..next)?);
                next
            }
            0x21 => {
                let label = *source.get(at.checked_add(1)?)?;
                let data = at.checked_add(2)?;
                let next = sub_blocks(source, data)?;
                extension(label, source.get(data..next)?, out)?;
                next
            }
            0x3b => {
                out.push(0x3b);
                return Some(());
            }
            _ => return None,
        };
    }
}

/// Writes anew what an extension says of the picture, whatever else stands in its sub-blocks.
fn extension(label: u8, blocks: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match (label, blocks) {
        // How long a frame stays, and which of its colours is transparent.
        (0xf9, [4, rest @ ..]) => {
            out.extend_from_slice(&[0x21, 0xf9, 4]);
            out.extend_from_slice(rest.get(..4)?);
            out.push(0);
        }
        (0xff, [11, rest @ ..]) => {
            let (name, rest) = rest.split_at_checked(11)?;
            if let Some(&[low, high]) = loops(rest).filter(|_| LOOPS.contains(&name)) {
                out.extend_from_slice(&[0x21, 0xff, 11]);
                out.extend_from_slice(name);
                out.extend_from_slice(&[3, 1, low, high, 0]);
            } else if name == PROFILE {
                out.extend_from_slice(&[0x21, 0xff, 11]);
                out.extend_from_slice(name);
                out.extend_from_slice(rest);
            }
        }
        // Comments, and applications without a name.
        (0xfe | 0xff, _) => {}
        // Text that nobody draws takes the settings of its own that stand before it; settings of another length are none.
        _ => return None,
    }
    Some(())
}

/// How often it plays: the first sub-block, if that says so.
fn loops(blocks: &[u8]) -> Option<&[u8; 2]> {
    blocks.strip_prefix(&[3, 1])?.first_chunk()
}

/// Bytes of a colour table as a packed field announces it.
fn table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// The offset after a chain of sub-blocks.
fn sub_blocks(source: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*source.get(at)?);
        at = at.checked_add(length)?.checked_add(1)?;
        if length == 0 {
            return Some(at);
        }
    }
}
