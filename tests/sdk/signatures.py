"""Requests signed by the vendors' own Python SDKs, with fixed keys and at a fixed time: one JSON object a line.

Nothing is sent: what the SDKs would have written to the wire is caught below them.
"""
import base64, datetime as dates, io, json, sys, time, types

NOW = 1795161600  # 2026-11-20T08:00:00Z
ID, SECRET, TOKEN = "LTAIexample", "ExampleSecretKey0123456789", "STS/TOKEN+="
KEYS = ["a.jpg", "dir/a b.jpg", "图/一.jpg", "a+b.jpg", "a%2Fb%20c.jpg", "~t_i-l.de", "a&b=c;d.jpg", "é'(x)*!$@,:.jpg", "deep//er/", "what?#.jpg"]

time.time = lambda: NOW
caught = []

class Fixed(dates.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(NOW, tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(NOW, dates.timezone.utc).replace(tzinfo=None)

frozen = types.SimpleNamespace(datetime=Fixed, timedelta=dates.timedelta, timezone=dates.timezone)


def say(sdk, scheme, presigned, method, url, headers, token, body=None, **more):
    """`url` and `headers` as they are on the wire; `host` among the headers or in the URL."""
    headers = [[str(name), value.decode() if isinstance(value, bytes) else str(value)] for name, value in dict(headers).items()]
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(["Host", url.split("/")[2]])
    body = base64.b64encode(body).decode() if body else None
    print(json.dumps(dict(sdk=sdk, scheme=scheme, presigned=presigned, method=method, url=url, headers=headers, token=token, now=NOW, body=body, **more), ensure_ascii=False))


class Caught(Exception):
    pass


def send(session, request, **rest):
    caught.append(request)
    raise Caught()


import requests
requests.Session.send = send


def wire(call):
    """What a call puts on the wire."""
    caught.clear()
    try:
        call()
    except Exception as error:
        if not caught:
            raise
    [first, *_] = caught
    return first


def cos():
    import logging
    logging.disable(logging.CRITICAL)
    from qcloud_cos import CosConfig, CosS3Client

    bucket, rule = "demo-1250000000", "imageMogr2/thumbnail/!50p|watermark/2/text/SGk+/fill/I0ZGRkZGRg==/fontsize/30"
    where = dict(region="ap-guangzhou", bucket=bucket)
    for token in (None, TOKEN):
        for domain in (None, "img.example.com:8080"):
            client = CosS3Client(CosConfig(Region="ap-guangzhou", SecretId=ID, SecretKey=SECRET, Token=token, Scheme="http", Domain=domain), retry=0)

            def tell(call, key):
                request = wire(call)
                say("cos-python", "cos", False, request.method, request.url, request.headers, token, key=key, **where)

            for key in KEYS:
                tell(lambda: client.get_object(bucket, key), key)
                tell(lambda: client.get_object(bucket, key, Range="bytes=0-9", IfNoneMatch='"tag"', ResponseContentType="image/x; a=b", VersionId="v 1+/"), key)
                tell(lambda: client.head_object(bucket, key), key)
                tell(lambda: client.ci_get_object(bucket, key, "none", rule), key)
                tell(lambda: client.put_object(bucket, b"body", key, ContentType="text/x y", Metadata={"x-cos-meta-A-b": "v /+%20"}, StorageClass="STANDARD_IA"), key)
                operations = '{"is_pic_info":1,"rules":[{"fileid":"b.jpg","rule":"imageMogr2/format/png"}]}'
                tell(lambda: client.ci_put_object(bucket, b"body", key, PicOperations=operations), key)
                tell(lambda: client.ci_image_process(bucket, key, PicOperations=operations), key)
                tell(lambda: client.upload_part(bucket, key, b"body", 3, "upload+/id"), key)
                for more in ({}, {"Params": {rule: ""}}, {"Params": {"response-content-type": "image/x y", rule: ""}}, {"SignHost": False}, {"Headers": {"x-cos-meta-a": "1"}}):
                    # The SDK writes into what it is given.
                    url = client.get_presigned_url(bucket, key, "GET", Expired=600, **{name: dict(value) if isinstance(value, dict) else value for name, value in more.items()})
                    url += f"&x-cos-security-token={requests.utils.quote(token, safe='')}" if token else ""
                    say("cos-python", "cos", True, "GET", url, more.get("Headers", {}), token, key=key, **where)
            tell(lambda: client.list_objects(bucket, Prefix="a/ b+", Delimiter="/", Marker="", MaxKeys=7), "")
            tell(lambda: client.list_objects_versions(bucket, Prefix="", KeyMarker="ü"), "")
            tell(lambda: client.delete_objects(bucket, {"Object": [{"Key": "a"}], "Quiet": "true"}), "")


def oss_one():
    import oss2
    import oss2.auth, oss2.utils

    oss2.auth.datetime = Fixed
    oss2.utils.http_date = lambda timeval=None: "Fri, 20 Nov 2026 08:00:00 GMT"
    process = "image/resize,w_100/format,webp|style/a b"
    for version, scheme in (("v1", "oss-v1"), ("v2", "oss-v2"), ("v4", "oss-v4")):
        for token in (None, TOKEN):
            auth = oss2.StsAuth(ID, SECRET, token, version) if token else oss2.make_auth(ID, SECRET, version)
            for domain, cname in (("http://oss-cn-hangzhou.aliyuncs.com", False), ("http://img.example.com:8080", True), ("http://127.0.0.1:8080", False)):
                bucket = oss2.Bucket(auth, domain, "examplebucket", is_cname=cname, region="cn-hangzhou")
                where = dict(region="cn-hangzhou", bucket="examplebucket")

                def tell(call, key, **more):
                    request = wire(call)
                    say("oss2", scheme, False, request.method, request.url, request.headers, token, key=key, **{**where, **more})

                for key in KEYS:
                    tell(lambda: bucket.get_object(key), key)
                    tell(lambda: bucket.get_object(key, process=process, byte_range=(0, 9), params={"response-content-type": "image/x; a=b", "versionId": "v 1+/"}), key)
                    tell(lambda: bucket.head_object(key), key)
                    tell(lambda: bucket.put_object(key, b"body", headers={"Content-Type": "text/x y", "x-oss-Meta-A": "v /+%20", "x-oss-storage-class": "IA", "Content-MD5": "hBotaJrYa9FhHEdKPMYFSA=="}), key)
                    tell(lambda: bucket.process_object(key, "image/resize,w_100|sys/saveas,o_dGVzdC5qcGc,b_dGVzdA"), key)
                    tell(lambda: bucket.upload_part(key, "upload+/id", 3, b"body"), key)
                    tell(lambda: bucket.get_object_acl(key), key)
                    for more in ({}, {"params": {"x-oss-process": process}}, {"params": {"response-content-type": "image/x y", "x-oss-traffic-limit": "819200", "plain": "+ü"}}):
                        url = bucket.sign_url("GET", key, 600, **more)
                        say("oss2", scheme, True, "GET", url, {}, token, key=key, **where)
                    sent = {"Content-Type": "text/x", "x-oss-meta-a": "1", "x-oss-object-acl": "private"}
                    url = bucket.sign_url("PUT", key, 600, headers=dict(sent))
                    say("oss2", scheme, True, "PUT", url, sent, token, key=key, **where)
                    # Who has a token cannot say which fields are signed.
                    if version != "v1" and not token:
                        sent = {"Range": "bytes=0-9", "X-Other": "one"}
                        url = bucket.sign_url("GET", key, 600, headers=dict(sent), additional_headers=["range", "x-other", "absent"])
                        say("oss2", scheme, True, "GET", url, sent, token, key=key, **where)
                tell(lambda: bucket.list_objects(prefix="a/ b+", delimiter="/", marker="", max_keys=7), "")
                tell(lambda: bucket.list_objects_v2(prefix="", continuation_token="t+/="), "")
                tell(lambda: bucket.batch_delete_objects(["a"]), "")
                tell(lambda: bucket.get_bucket_lifecycle(), "")
                if not cname:
                    tell(lambda: oss2.Service(auth, domain, region="cn-hangzhou").list_buckets(prefix="p"), "", bucket="")


def oss_two():
    import alibabacloud_oss_v2 as oss
    import alibabacloud_oss_v2.signer.v1 as v1, alibabacloud_oss_v2.signer.v4 as v4, alibabacloud_oss_v2.presigner as presigner

    for module in (v1, v4, presigner):
        module.datetime = frozen
    process = "image/resize,w_100/format,webp|style/a b"
    for version, scheme in (("v1", "oss-v1"), ("v4", "oss-v4")):
        # In its mode of V1 this SDK sends tokens in a field that it does not sign.
        for token in (None, TOKEN):
            for endpoint, path_style in (("http://oss-cn-hangzhou.aliyuncs.com", False), ("http://127.0.0.1:8080", True)):
                config = oss.config.load_default()
                config.credentials_provider = oss.credentials.StaticCredentialsProvider(ID, SECRET, token)
                config.region, config.endpoint, config.use_path_style, config.signature_version = "cn-hangzhou", endpoint, path_style, version
                config.additional_headers = ["range", "host"] if path_style else []
                config.retry_max_attempts = 1
                client = oss.Client(config)
                where = dict(region="cn-hangzhou", bucket="examplebucket")

                def tell(call, key):
                    request = wire(call)
                    say("alibabacloud-oss-v2", scheme, False, request.method, request.url, request.headers, token, key=key, **where)

                for key in KEYS:
                    tell(lambda: client.get_object(oss.GetObjectRequest("examplebucket", key)), key)
                    # This SDK leaves x-oss-process out of what V1 signs, which a strict store refuses.
                    more = {} if version == "v1" else {"process": process}
                    tell(lambda: client.get_object(oss.GetObjectRequest("examplebucket", key, range_header="bytes=0-9", response_content_type="image/x; a=b", version_id="v 1+/", **more)), key)
                    tell(lambda: client.put_object(oss.PutObjectRequest("examplebucket", key, body=b"body", content_type="text/x y", metadata={"A": "v /+%20"}, storage_class="IA")), key)
                    tell(lambda: client.get_object_acl(oss.GetObjectAclRequest("examplebucket", key)), key)
                    if version == "v4":
                        tell(lambda: client.process_object(oss.ProcessObjectRequest("examplebucket", key, process="image/resize,w_100|sys/saveas,o_dGVzdC5qcGc,b_dGVzdA")), key)
                    for request in (oss.GetObjectRequest("examplebucket", key, **more), oss.PutObjectRequest("examplebucket", key, content_type="text/x")):
                        signed = client.presign(request, expires=dates.timedelta(seconds=600))
                        say("alibabacloud-oss-v2", scheme, True, signed.method, signed.url, signed.signed_headers or {}, token, key=key, **where)
                tell(lambda: client.list_objects_v2(oss.ListObjectsV2Request("examplebucket", prefix="a/ b+", delimiter="/", max_keys=7)), "")


def aws():
    import boto3, botocore.auth, botocore.compat
    from botocore.config import Config

    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: Fixed.utcnow()

    def keep(request, **rest):
        caught.append(request)
        raise Caught()

    where = dict(region="us-east-1", bucket="examplebucket")
    for token in (None, TOKEN):
        for endpoint, style in (("http://127.0.0.1:8080", "path"), ("https://s3.example.com", "virtual")):
            client = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint, aws_access_key_id=ID, aws_secret_access_key=SECRET, aws_session_token=token,
                                  config=Config(signature_version="s3v4", s3={"addressing_style": style}, retries={"max_attempts": 0}))
            client.meta.events.register("before-send.s3", keep)

            def tell(call, key, **more):
                request = wire(call)
                headers = {name: value for name, value in request.headers.items()}
                body = request.body
                if hasattr(body, "read"):
                    body = body.read()
                if isinstance(body, str):
                    body = body.encode()
                say("boto3", "sigv4", False, request.method, request.url, headers, token, body, key=key, **where, **more)

            for key in KEYS:
                tell(lambda: client.get_object(Bucket="examplebucket", Key=key), key)
                tell(lambda: client.get_object(Bucket="examplebucket", Key=key, Range="bytes=0-9", IfNoneMatch='"tag"', ResponseContentType="image/x; a=b", VersionId="v 1+/"), key)
                tell(lambda: client.head_object(Bucket="examplebucket", Key=key), key)
                tell(lambda: client.put_object(Bucket="examplebucket", Key=key, Body=b"body", ContentType="text/x  y", Metadata={"a-B": "v /+%20"}, StorageClass="STANDARD_IA"), key)
                tell(lambda: client.put_object(Bucket="examplebucket", Key=key, Body=io.BytesIO(b"body" * 100), ChecksumAlgorithm="CRC32"), key)
                tell(lambda: client.upload_part(Bucket="examplebucket", Key=key, Body=b"body", PartNumber=3, UploadId="upload+/id"), key)
                for name, more in (("get_object", {}), ("get_object", {"ResponseContentType": "image/x y", "VersionId": "v+"}), ("put_object", {}), ("head_object", {})):
                    url = client.generate_presigned_url(name, Params={"Bucket": "examplebucket", "Key": key, **more}, ExpiresIn=600)
                    say("boto3", "sigv4", True, {"get": "GET", "put": "PUT", "head": "HEAD"}[name.split("_")[0]], url, {}, token, key=key, **where)
            tell(lambda: client.list_objects_v2(Bucket="examplebucket", Prefix="a/ b+", Delimiter="/", StartAfter="ü"), "")
            tell(lambda: client.delete_objects(Bucket="examplebucket", Delete={"Objects": [{"Key": "a"}]}), "")
            tell(lambda: client.list_buckets(), "")


for part in sys.argv[1:] or ["cos", "oss_one", "oss_two", "aws"]:
    {"cos": cos, "oss_one": oss_one, "oss_two": oss_two, "aws": aws}[part]()
