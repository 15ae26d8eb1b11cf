"""The vendors' own Python SDKs against a running Pictor: python.py PORT FOLDER. Ends with 0 if all is as their users expect.

Signatures are made by the SDKs and not looked at: the origin is a folder.
"""
import json, os, socket, subprocess, sys

import oss2
from qcloud_cos import CosConfig, CosS3Client
from qcloud_cos.cos_exception import CosServiceError

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]

# Both SDKs insist on a host name, which need not be known to any resolver.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve("127.0.0.1" if host.endswith(".localhost") else host, *rest, **more)


def identified(path):
    """Format and size by a decoder that is not ours."""
    command = {"avif": ["avifdec", "--info"], "heic": ["heif-info"]}.get(path.rsplit(".", 1)[1])
    if command:
        return subprocess.run(command + [path], capture_output=True, text=True, check=True).stdout
    return subprocess.run(["identify", "-format", "%m %wx%h", path], capture_output=True, text=True, check=True).stdout


def tencent():
    config = CosConfig(Region="ap-guangzhou", SecretId="id", SecretKey="key", Scheme="http", Domain=f"bucket.localhost:{PORT}")
    client = CosS3Client(config, retry=0)
    here = lambda name: os.path.join(FOLDER, name)

    client.ci_get_object("bucket", "sample.jpg", here("cos.png"), "imageMogr2/thumbnail/!50p/format/png")
    assert identified(here("cos.png")).startswith("PNG 1200x675"), identified(here("cos.png"))
    client.ci_get_object("bucket", "sample.jpg", here("cos.webp"), "imageMogr2/thumbnail/300x200/format/webp|watermark/2/text/SGk/fill/I0ZGRkZGRg==")
    assert "300" in identified(here("cos.webp")), identified(here("cos.webp"))
    client.ci_download_compress_image("bucket", "sample.png", here("cos.heic"), "heif")
    assert "1200x800" in identified(here("cos.heic")), identified(here("cos.heic"))
    client.ci_download_compress_image("bucket", "sample.png", here("cos.avif"), "avif")
    assert "1200x800" in identified(here("cos.avif")), identified(here("cos.avif"))
    _, body = client.ci_get_image_info("bucket", "sample.png")
    info = json.loads(body) if isinstance(body, (str, bytes)) else body
    assert (info["format"], info["width"], info["height"]) == ("png", "1200", "800"), info
    _, body = client.ci_get_image_ave_info("bucket", "sample.png")
    average = json.loads(body) if isinstance(body, (str, bytes)) else body
    assert average["RGB"].startswith("0x") and len(average["RGB"]) == 8, average

    for rule, status, code in [("imageMogr2/thumbnail/0x", 400, "InvalidRequest"), ("style/none", 404, "NoSuchStyle")]:
        try:
            client.ci_get_object("bucket", "sample.jpg", here("none"), rule)
            raise AssertionError(rule)
        except CosServiceError as error:
            assert (error.get_status_code(), error.get_error_code()) == (status, code), error
            assert error.get_request_id(), error


    # Styles by the vendor's interface, in force at once.
    client.ci_put_image_style("bucket", {"StyleName": "cos-turned", "StyleBody": "imageMogr2/rotate/90/format/png"})
    client.ci_get_object("bucket", "sample.png", here("turned.png"), "style/cos-turned")
    assert identified(here("turned.png")).startswith("PNG 800x1200"), identified(here("turned.png"))
    _, listed = client.ci_get_image_style("bucket", {"StyleName": "cos-turned"})
    assert "imageMogr2/rotate/90/format/png" in str(listed), listed
    client.ci_delete_image_style("bucket", {"StyleName": "cos-turned"})
    try:
        client.ci_get_object("bucket", "sample.png", here("none"), "style/cos-turned")
        raise AssertionError("a style that was deleted")
    except CosServiceError as error:
        assert error.get_error_code() == "NoSuchStyle", error


def aliyun():
    bucket = oss2.Bucket(oss2.Auth("id", "key"), f"http://bucket.localhost:{PORT}", "bucket", is_cname=True)
    answer = bucket.get_object("sample.jpg", process="image/resize,w_100/format,png")
    body = answer.read()
    assert answer.headers["Content-Type"] == "image/png" and body.startswith(b"\x89PNG"), answer.headers
    path = os.path.join(FOLDER, "oss.jpg")
    status = bucket.get_object_to_file("sample.jpg", path, process="image/resize,m_fill,w_300,h_200/watermark,text_SGVsbG8").status
    assert status == 200 and identified(path).startswith("JPEG 300x200"), identified(path)
    info = json.loads(bucket.get_object("sample.png", process="image/info").read())
    assert (info["ImageWidth"]["value"], info["Format"]["value"]) == ("1200", "png"), info
    assert bucket.get_object("sample.png", process="image/average-hue").read().startswith(b"0x")
    assert bucket.get_object("sample.jpg", process="style/card").headers["Content-Type"] == "image/avif"
    # The SDK checks the body's CRC against a header where there is one; plain objects go through untouched.
    assert bucket.get_object("sample.png").read()[1:4] == b"PNG"
    bucket.put_bucket_style("oss-turned", "image/rotate,90/format,png")
    assert bucket.get_bucket_style("oss-turned").content == "image/rotate,90/format,png"
    assert "oss-turned" in [style.name for style in bucket.list_bucket_style().styles]
    assert bucket.get_object("sample.png", process="style/oss-turned").headers["Content-Type"] == "image/png"
    bucket.delete_bucket_style("oss-turned")
    assert "oss-turned" not in [style.name for style in bucket.list_bucket_style().styles]
    for process, status, code in [("image/resize,w_0", 400, "InvalidArgument"), ("style/none", 404, "NoSuchStyle")]:
        try:
            bucket.get_object("sample.jpg", process=process)
            raise AssertionError(process)
        except oss2.exceptions.ServerError as error:
            assert (error.status, error.code) == (status, code), error
            assert error.request_id, error


tencent()
aliyun()
print("both SDKs are served")
