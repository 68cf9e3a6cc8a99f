// llama.cpp's side of the engine benchmark: loads a GGUF file and answers one JSON line for each command line.
//   node llama.mjs MODEL.gguf THREADS CONTEXT     stdin: "prefill N" | "decode N" | "quit"
// Rates are tokens a second: of wall time, and of processor time of the whole process (one computing thread).
import {createInterface} from "node:readline";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [path, threads, contextSize] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error, maxThreads: Number(threads)});
const model = await llama.loadModel({modelPath: path});
const context = await model.createContext({contextSize: Number(contextSize), batchSize: 512, threads: Number(threads), sequences: 1});
const sequence = context.getSequence();
const vocabulary = 49152;
let state = 1;
const next = () => 300 + (state = (state * 48271) % 2147483647) % (vocabulary - 300);

async function measure(tokens, work) {
    await sequence.clearHistory();
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    await work();
    const wall = Number(process.hrtime.bigint() - start) / 1e9;
    const {user, system} = process.cpuUsage(cpu);
    return {wall: tokens / wall, cpu: tokens / ((user + system) / 1e6)};
}

const prefill = (count) => {
    const tokens = Array.from({length: count}, next);
    return measure(count, () => sequence.controlledEvaluate([
        ...tokens.slice(0, -1), [tokens.at(-1), {generateNext: {token: true, options: {temperature: 0}}}]]));
};

const decode = (count) => {
    const tokens = Array.from({length: count}, next);
    return measure(count, async () => {
        for (const token of tokens) {
            await sequence.controlledEvaluate([[token, {generateNext: {token: true, options: {temperature: 0}}}]]);
        }
    });
};

console.log(JSON.stringify({ready: true}));
for await (const line of createInterface({input: process.stdin})) {
    const [command, count] = line.split(" ");
    if (command === "quit") break;
    console.log(JSON.stringify(await (command === "prefill" ? prefill : decode)(Number(count))));
}
await llama.dispose();
process.exit(0);
