// Uploads in parts by the vendors' Node SDKs through Pictor to an S3 store: parts.mjs PORT FOLDER. Ends with 0 if all is as
// README.md says: their defaults are refused by the store, and with larger parts both succeed.
import { randomBytes } from "node:crypto";
import dns from "node:dns";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [port, folder] = process.argv.slice(2);
const root = path.join(import.meta.dirname, "../..");
const require = createRequire(path.join(root, ".deps/node/package.json"));
const OSS = require("ali-oss");
const COS = require("cos-nodejs-sdk-v5");

const lookup = dns.lookup;
dns.lookup = (name, options, done) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, done);

const bytes = randomBytes(11 << 20);
const file = path.join(folder, "large.bin");
writeFileSync(file, bytes);
const check = (holds, what) => {
  if (!holds) throw new Error(what);
};
async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error("parts of 1 MiB were taken: README.md and the notice at start-up say otherwise");
}

const at = { Bucket: "bucket-1250000000", Region: "ap-guangzhou" };
const cos = new COS({ SecretId: "id", SecretKey: "key", Protocol: "http:", Domain: `bucket.localhost:${port}`, ChunkRetryTimes: 0 });
const small = await refused(() => cos.sliceUploadFile({ ...at, Key: "cos-small.bin", FilePath: file }));
check(JSON.stringify(small).includes("EntityTooSmall"), JSON.stringify(small));
await cos.sliceUploadFile({ ...at, Key: "cos-node.bin", FilePath: file, ChunkSize: 8 << 20 });
check((await cos.getObject({ ...at, Key: "cos-node.bin" })).Body.equals(bytes), "another object than was sent");

const store = new OSS({
  accessKeyId: "id",
  accessKeySecret: "key",
  bucket: "bucket",
  endpoint: `http://bucket.localhost:${port}`,
  cname: true,
  retryMax: 0,
});
const tiny = await refused(() => store.multipartUpload("oss-small.bin", file));
check(tiny.code === "EntityTooSmall", `${tiny.code} ${tiny.message}`);
await store.multipartUpload("oss-node.bin", file, { partSize: 8 << 20 });
check((await store.get("oss-node.bin")).content.equals(bytes), "another object than was sent");
console.log("uploads in parts arrive");
