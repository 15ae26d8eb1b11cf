"""Uploads in parts by the vendors' Python SDKs through Pictor to an S3 store: parts.py PORT FOLDER. Ends with 0 if all is as
README.md says: defaults are refused, and what it tells to set succeeds.
"""
import os, socket, sys

import oss2
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosClientError, CosServiceError

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve("127.0.0.1" if host.endswith(".localhost") else host, *rest, **more)

BYTES = os.urandom(11 << 20)
file = os.path.join(FOLDER, "large.bin")
with open(file, "wb") as out:
    out.write(BYTES)

config = CosConfig(Region="ap-guangzhou", SecretId="id", SecretKey="key", Scheme="http", Domain=f"bucket.localhost:{PORT}")
cos = CosS3Client(config, retry=0)
try:
    cos.upload_file("bucket", "small-parts.bin", file)
    raise AssertionError("parts of 1 MiB were taken: README.md and the notice at start-up say otherwise")
except (CosServiceError, CosClientError) as error:
    assert "EntityTooSmall" in str(error) or getattr(error, "get_error_code", lambda: "")() == "EntityTooSmall", error
cos.upload_file("bucket", "cos.bin", file, PartSize=8)
assert cos.get_object("bucket", "cos.bin")["Body"].get_raw_stream().read() == BYTES

bucket = oss2.Bucket(oss2.Auth("id", "key"), f"http://bucket.localhost:{PORT}", "bucket", is_cname=True)
# It does not read the namespace of S3's XML, so that it can only upload in one piece.
oss2.resumable_upload(bucket, "oss.bin", file, store=oss2.ResumableStore(root=FOLDER), multipart_threshold=5 << 30)
assert bucket.get_object("oss.bin").read() == BYTES
print("uploads in parts arrive")
