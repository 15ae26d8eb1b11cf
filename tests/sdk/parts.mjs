// Uploads in parts by the vendors' Node SDKs through Pictor to an S3 store: parts.mjs PORT FOLDER. Ends with 0 if all is as
// README.md says: their defaults are refused by the store, and with larger parts both succeed.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { aliyun, at, check, here, refused, tencent } from "./shared.mjs";

const bytes = randomBytes(11 << 20);
const file = here("large.bin");
writeFileSync(file, bytes);
const told = "parts of 1 MiB were taken: README.md and the notice at start-up say otherwise";

const cos = tencent({ ChunkRetryTimes: 0 });
const small = await refused(() => cos.sliceUploadFile({ ...at, Key: "cos-small.bin", FilePath: file }), told);
check(JSON.stringify(small).includes("EntityTooSmall"), small);
await cos.sliceUploadFile({ ...at, Key: "cos-node.bin", FilePath: file, ChunkSize: 8 << 20 });
check((await cos.getObject({ ...at, Key: "cos-node.bin" })).Body.equals(bytes), "another object than was sent");

const store = aliyun();
const tiny = await refused(() => store.multipartUpload("oss-small.bin", file), told);
check(tiny.code === "EntityTooSmall", `${tiny.code} ${tiny.message}`);
await store.multipartUpload("oss-node.bin", file, { partSize: 8 << 20 });
check((await store.get("oss-node.bin")).content.equals(bytes), "another object than was sent");
console.log("uploads in parts arrive");
