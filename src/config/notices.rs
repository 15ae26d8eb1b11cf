//! What holds together and yet surprises people: said at start-up and by `pictor check`.

use super::{Config, OriginConfig, SiteConfig};

/// The least size of a part of an upload in parts that S3 and most stores of its kind take, the last part apart.
const LEAST_PART: &str = "5 MiB";

/// One sentence for each surprise.
pub fn notices(config: &Config) -> Vec<String> {
    config.sites.iter().filter_map(small_parts).collect()
}

/// Tencent's and Aliyun's own stores take parts from 1 MiB and 100 KiB on, and some of their SDKs send such by default.
fn small_parts(site: &SiteConfig) -> Option<String> {
    let takes_uploads = matches!(site.origin, OriginConfig::S3 { .. }) && site.access.anonymous_write;
    takes_uploads.then(|| {
        format!(
            "site \"{}\": uploads in parts go to an S3 store, which refuses parts of less than {LEAST_PART} (EntityTooSmall); \
             tell clients to send larger ones: cos-python-sdk-v5 upload_file(PartSize=8), cos-nodejs-sdk-v5 ChunkSize: \
             8388608, ali-oss multipartUpload(..., {{ partSize: 8388608 }}); or one piece: oss2 resumable_upload(..., \
             multipart_threshold=5 << 30)",
            site.name
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn small_parts_are_spoken_of_where_uploads_reach_an_s3_store() {
        let s3 = "[[site]]\nname = \"a\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"s3\"\nendpoint = \"http://h\"\nbucket = \"b\"\n";
        let open = "[site.access]\nanonymous_write = true\n";
        let folder = "[[site]]\nname = \"a\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"x\"\n";
        let said = |text: &str| notices(&crate::config::parse(text).unwrap());
        let of_open = said(&format!("{s3}{open}"));
        assert!(
            matches!(&of_open[..], [one] if one.contains("site \"a\"") && one.contains("PartSize=8")),
            "{of_open:?}"
        );
        assert_eq!(said(s3), [""; 0], "nobody can upload");
        assert_eq!(said(&format!("{folder}{open}")), [""; 0]);
    }
}
