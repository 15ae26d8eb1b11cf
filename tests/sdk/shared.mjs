// What the scripts for the vendors' Node SDKs share. Their arguments: PORT FOLDER.
import dns from "node:dns";
import { createRequire } from "node:module";
import path from "node:path";

const [port, folder] = process.argv.slice(2);
export const root = path.join(import.meta.dirname, "../..");
const require = createRequire(path.join(root, ".deps/node/package.json"));
const OSS = require("ali-oss");
const COS = require("cos-nodejs-sdk-v5");

// Both SDKs insist on a host name, which need not be known to any resolver.
const host = `bucket.localhost:${port}`;
const lookup = dns.lookup;
dns.lookup = (name, options, done) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, done);

export const at = { Bucket: "bucket-1250000000", Region: "ap-guangzhou" };
export const tencent = (more) => new COS({ SecretId: "id", SecretKey: "key", Protocol: "http:", Domain: host, ...more });
export const aliyun = () =>
  new OSS({ accessKeyId: "id", accessKeySecret: "key", bucket: "bucket", endpoint: `http://${host}`, cname: true, retryMax: 0 });

/** A file of the run's own folder. */
export const here = (name) => path.join(folder, name);

export const check = (holds, what) => {
  if (!holds) throw new Error(typeof what === "string" ? what : JSON.stringify(what));
};

/** What a call refuses with. */
export async function refused(call, otherwise = "it was not refused") {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error(otherwise);
}
