// Requests signed by the vendors' own Node SDKs, with fixed keys and at a fixed time: one JSON object a line, as signatures.py
// has them. A server on this machine takes down what comes.
import { createRequire } from "node:module";
import http from "node:http";
import path from "node:path";

const NOW = 1795161600;
const [ID, SECRET, TOKEN] = ["LTAIexample", "ExampleSecretKey0123456789", "STS/TOKEN+="];
const KEYS = ["a.jpg", "dir/a b.jpg", "图/一.jpg", "a+b.jpg", "a%2Fb%20c.jpg", "~t_i-l.de", "a&b=c;d.jpg", "é'(x)*!$@,:.jpg", "what?#.jpg"];

const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) {
    given.length ? super(...given) : super(NOW * 1000);
  }
  static now() {
    return NOW * 1000;
  }
};

const require = createRequire(path.join(import.meta.dirname, "../../.deps/node/package.json"));
const OSS = require("ali-oss");
const COS = require("cos-nodejs-sdk-v5");
console.warn = () => {};

let came;
const server = http.createServer((request, response) => {
  const headers = [];
  for (let i = 0; i < request.rawHeaders.length; i += 2) headers.push([request.rawHeaders[i], request.rawHeaders[i + 1]]);
  came ??= { method: request.method, target: request.url, headers };
  request.resume();
  request.on("end", () => response.writeHead(400).end());
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const host = `localhost:${server.address().port}`;

const say = (line) => process.stdout.write(JSON.stringify({ now: NOW, body: null, ...line }) + "\n");

/** Says what a call puts on the wire. */
async function tell(line, call) {
  came = undefined;
  await call().catch(() => {});
  if (!came) throw new Error(`nothing came: ${JSON.stringify(line)} ${call}`);
  const at = new Map(came.headers.map(([name, value]) => [name.toLowerCase(), value]));
  say({ ...line, presigned: false, method: came.method, url: `http://${at.get("host")}${came.target}`, headers: came.headers });
}

const presigned = (line, method, url, headers = {}) =>
  say({ ...line, presigned: true, method, url, headers: [...Object.entries(headers), ["Host", url.split("/")[2]]] });

const rule = "imageMogr2/thumbnail/!50p|watermark/2/text/SGk+/fill/I0ZGRkZGRg==/fontsize/30";
const at = { Bucket: "demo-1250000000", Region: "ap-guangzhou" };
for (const token of [null, TOKEN]) {
  const cos = new COS({ SecretId: ID, SecretKey: SECRET, SecurityToken: token ?? undefined, Protocol: "http:", Domain: host });
  const sdk = { sdk: "cos-nodejs", scheme: "cos", token, region: at.Region, bucket: at.Bucket };
  for (const Key of KEYS) {
    const line = { ...sdk, key: Key };
    await tell(line, () => cos.getObject({ ...at, Key }));
    await tell(line, () => cos.getObject({ ...at, Key, Range: "bytes=0-9", ResponseContentType: "image/x; a=b", VersionId: "v 1+/" }));
    await tell(line, () => cos.getObject({ ...at, Key, QueryString: undefined, Query: { [rule]: "", "response-content-type": "image/x" } }));
    await tell(line, () => cos.headObject({ ...at, Key }));
    await tell(line, () => cos.putObject({ ...at, Key, Body: "body", ContentType: "text/x y", "x-cos-meta-A-b": "v /+%20", Headers: { "Pic-Operations": '{"is_pic_info":1,"rules":[]}' } }));
    // The SDK gives a list that is encoded twice to its callback, and one that is encoded once as its result.
    for (const more of [{}, { Query: { [rule]: "" } }, { Query: { "a/": "", "a-": "1", "response-content-type": "image/x y", [rule]: "" } }, { Headers: { "x-cos-meta-a": "1" } }]) {
      const asked = { ...at, Key, Method: "GET", Expires: 600, Sign: true, Protocol: "http:", ...more };
      let once;
      const twice = await new Promise((done, failed) => {
        once = cos.getObjectUrl(asked, (error, data) => (error ? failed(error) : done(data.Url)));
      });
      for (const url of [once, twice]) presigned(line, "GET", url, more.Headers);
    }
  }
  await tell({ ...sdk, key: "" }, () => cos.getBucket({ ...at, Prefix: "a/ b+", Delimiter: "/", MaxKeys: 7 }));
  await tell({ ...sdk, key: "" }, () => cos.deleteMultipleObject({ ...at, Objects: [{ Key: "a" }] }));
}

const process_ = "image/resize,w_100/format,webp|style/a b";
for (const token of [null, TOKEN])
  for (const v4 of [false, true]) {
    const oss = new OSS({ accessKeyId: ID, accessKeySecret: SECRET, stsToken: token ?? undefined, bucket: "examplebucket", region: "oss-cn-hangzhou", endpoint: `http://${host}`, cname: true, authorizationV4: v4, retryMax: 0 });
    const sdk = { sdk: "ali-oss", scheme: v4 ? "oss-v4" : "oss-v1", token, region: "cn-hangzhou", bucket: "examplebucket" };
    for (const key of KEYS) {
      const line = { ...sdk, key };
      await tell(line, () => oss.get(key));
      await tell(line, () => oss.get(key, { process: process_, headers: { Range: "bytes=0-9" } }));
      await tell(line, () => oss.head(key));
      await tell(line, () => oss.put(key, Buffer.from("body"), { mime: "text/x", meta: { A: "v /+%20" }, headers: { "x-oss-storage-class": "IA" } }));
      await tell(line, () => oss.processObjectSave(key, "test.jpg", "image/resize,w_100", "test"));
      await tell(line, () => oss.getACL(key));
      if (v4) {
        presigned(line, "GET", await oss.signatureUrlV4("GET", 600, { queries: { "x-oss-process": process_ } }, key));
        const headers = { "Content-Type": "text/x", "x-oss-meta-a": "1", "X-Other": "one" };
        presigned(line, "PUT", await oss.signatureUrlV4("PUT", 600, { headers }, key, ["x-other"]), headers);
      } else {
        presigned(line, "GET", oss.signatureUrl(key, { expires: 600, process: process_, response: { "content-type": "image/x y" } }));
        presigned(line, "PUT", oss.signatureUrl(key, { expires: 600, method: "PUT", "Content-Type": "text/x", "x-oss-meta-a": "1" }), { "Content-Type": "text/x", "x-oss-meta-a": "1" });
      }
    }
    await tell({ ...sdk, key: "" }, () => oss.list({ prefix: "a/ b+", delimiter: "/", "max-keys": 7 }));
    await tell({ ...sdk, key: "" }, () => oss.listV2({ prefix: "p", "continuation-token": "t+/=" }));
    await tell({ ...sdk, key: "" }, () => oss.deleteMulti(["a"]));
    await tell({ ...sdk, key: "" }, () => oss.getBucketLifecycle("examplebucket"));
  }
server.close();
process.exit(0);
