// The two Redis clients of npm against a port of this machine; prints what each saw as JSON.
import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { createClient, RESP_TYPES } from "redis";

const [port, password] = process.argv.slice(2);
const value = randomBytes(1_500_000);
const seen = {};

const io = new Redis({ host: "127.0.0.1", port: Number(port), password, maxRetriesPerRequest: 1 });
seen.ioredis = {
  set: await io.set("io", value),
  equal: value.equals(await io.getBuffer("io")),
  missing: (await io.get("nothing")) === null,
  many: (await Promise.all([io.set("a", "1"), io.set("b", "2")]).then(() => io.mget("a", "b", "c"))).map((one) => one ?? "none").join(),
  error: await io.set("io", "x", "EX", 5).catch((error) => error.message),
  deleted: await io.del("io"),
  exists: await io.exists("io"),
};
await io.quit();

const node = await createClient({ url: `redis://default:${password}@127.0.0.1:${port}` }).connect();
const binary = node.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
seen.redis = {
  set: await node.set("node", value),
  equal: value.equals(await binary.get("node")),
  missing: (await node.get("nothing")) === null,
  many: (await node.mGet(["a", "b", "c"])).map((one) => one ?? "none").join(),
  error: await node.set("node", "x", { EX: 5 }).catch((error) => error.message),
  deleted: await node.del("node"),
  exists: await node.exists("node"),
};
await node.close();
console.log(JSON.stringify(seen));
