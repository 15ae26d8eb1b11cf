// The vendors' own Node SDKs against a running Pictor: node.mjs PORT FOLDER. Ends with 0 if all is as their users expect.
//
// Signatures are made by the SDKs and not looked at: the origin is a folder.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { aliyun, at, check, here, refused, root, tencent } from "./shared.mjs";

/** Format and size by a decoder that is not ours. */
function identified(file) {
  const of = { avif: ["avifdec", "--info"], heic: ["heif-info"] }[file.split(".").pop()];
  const [program, ...rest] = of ?? ["identify", "-format", "%m %wx%h"];
  return execFileSync(program, [...rest, file], { encoding: "utf8" });
}

async function throughTencents() {
  const cos = tencent();

  // As the vendor's samples do it: the rule is a key of the query.
  const answer = await cos.getObject({ ...at, Key: "sample.jpg", Query: { "imageMogr2/thumbnail/!50p/format/png": "" }, Output: here("cos.png") });
  check(answer.statusCode === 200 && answer.headers["content-type"] === "image/png", answer);
  check(identified(here("cos.png")).startsWith("PNG 1200x675"), identified(here("cos.png")));
  check(statSync(here("cos.png")).size === Number(answer.headers["content-length"]), answer.headers);
  const body = await cos.getObject({ ...at, Key: "sample.png", QueryString: "imageMogr2/format/webp|imageMogr2/thumbnail/300x" });
  check(Buffer.isBuffer(body.Body) && body.Body.subarray(8, 12).toString() === "WEBP", body.headers);
  await cos.getObject({ ...at, Key: "sample.png", QueryString: "imageMogr2/format/heif", Output: here("cos.heic") });
  check(identified(here("cos.heic")).includes("1200x800"), identified(here("cos.heic")));

  // The vendor's own call for information, through the general request.
  const info = await cos.request({ ...at, Key: "sample.png", Method: "GET", Action: "imageInfo", RawBody: true });
  const facts = JSON.parse(info.Body);
  check(facts.format === "png" && facts.width === "1200" && facts.height === "800", facts);
  const average = await cos.request({ ...at, Key: "sample.png", Method: "GET", Action: "imageAve", RawBody: true });
  check(/^0x[0-9a-f]{6}$/.test(JSON.parse(average.Body).RGB), average.Body);

  // A signed URL carries the rule, and anybody may use it.
  const url = cos.getObjectUrl({ ...at, Key: "sample.jpg", Sign: true, QueryString: "imageMogr2/thumbnail/300x200", Protocol: "http:" });
  check(typeof url === "string" && url.includes("q-signature"), url);
  const signed = await fetch(url.replace("bucket.localhost", "127.0.0.1"));
  check(signed.status === 200 && signed.headers.get("content-type") === "image/jpeg", String(signed.status));

  const plain = await cos.getObject({ ...at, Key: "sample.png" });
  check(plain.Body.equals(readFileSync(path.join(root, "conf/demo/sample.png"))), "an original is not what it was");
  for (const [rule, status, code] of [["imageMogr2/thumbnail/0x", 400, "InvalidRequest"], ["style/none", 404, "NoSuchStyle"]]) {
    const error = await refused(() => cos.getObject({ ...at, Key: "sample.jpg", QueryString: rule }));
    check(error.statusCode === status && error.code === code && error.error.Code === code, error);
    check(error.error.RequestId && error.headers["x-cos-request-id"], error);
  }
}

async function throughAliyuns() {
  const store = aliyun();
  const got = await store.get("sample.jpg", { process: "image/resize,w_100/format,png" });
  check(got.res.headers["content-type"] === "image/png" && got.content.subarray(1, 4).toString() === "PNG", got.res.headers);
  const file = await store.get("sample.jpg", here("oss.jpg"), { process: "image/resize,m_fill,w_300,h_200/watermark,text_SGVsbG8" });
  check(file.res.status === 200 && identified(here("oss.jpg")).startsWith("JPEG 300x200"), identified(here("oss.jpg")));
  const { stream } = await store.getStream("sample.png", { process: "image/format,avif" });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  check(Buffer.concat(chunks).subarray(4, 12).toString() === "ftypavif", "no AVIF");
  const info = JSON.parse((await store.get("sample.png", { process: "image/info" })).content);
  check(info.ImageWidth.value === "1200" && info.Format.value === "png", info);
  const hue = await store.get("sample.png", { process: "image/average-hue" });
  check(/^0x[0-9a-f]{6}$/.test(hue.content.toString().trim()), hue.content.toString());
  const card = await store.get("sample.jpg", { process: "style/card" });
  check(card.res.headers["content-type"] === "image/avif", card.res.headers);
  const head = await store.head("sample.png");
  check(head.status === 200, head);
  const url = store.signatureUrl("sample.jpg", { process: "image/resize,w_300" });
  const signed = await fetch(url.replace("bucket.localhost", "127.0.0.1"));
  check(signed.status === 200 && signed.headers.get("content-type") === "image/jpeg", `${signed.status} ${url}`);
  const plain = await store.get("sample.png");
  check(plain.content.equals(readFileSync(path.join(root, "conf/demo/sample.png"))), "an original is not what it was");
  for (const [process, status, code] of [["image/resize,w_0", 400, "InvalidArgument"], ["style/none", 404, "NoSuchStyle"]]) {
    const error = await refused(() => store.get("sample.jpg", { process }));
    check(error.status === status && error.code === code && error.requestId, error);
    check(error.name === `${code}Error`, error.name);
  }
}

await throughTencents();
await throughAliyuns();
console.log("both SDKs are served");
