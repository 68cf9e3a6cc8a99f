// The npm client's conformance run through a router: every call that a P/D router treats in its own way. Prints what it saw as one line of JSON.
import OpenAI from "openai";

const [baseURL, model, broken] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "sk-none", maxRetries: 0 });
const messages = [{ role: "user", content: "Hi" }];
const seen = {};

const joined = async (stream, text) => {
  let all = "", usage = null, count = 0;
  for await (const chunk of stream) {
    all += text(chunk) ?? "";
    usage = chunk.usage ?? usage;
    count++;
  }
  return { text: all, usage, count };
};

const completion = await client.completions.create({ model, prompt: "Hi", max_tokens: 4 });
seen.completion = [completion.choices[0].text, completion.choices[0].finish_reason, completion.usage.completion_tokens, completion.usage.prompt_tokens_details?.cached_tokens];
seen.completionStream = await joined(
  await client.completions.create({ model, prompt: "Hi", max_tokens: 4, stream: true, stream_options: { include_usage: true } }), (chunk) => chunk.choices[0]?.text);
seen.prompts = (await client.completions.create({ model, prompt: ["a", "b"], n: 2, max_tokens: 2 })).choices.map((one) => [one.index, one.text]);

const chat = await client.chat.completions.create({ model, messages, max_completion_tokens: 4 });
seen.chat = [chat.choices[0].message.content, chat.choices[0].message.role, chat.choices[0].finish_reason, chat.usage.prompt_tokens_details?.cached_tokens];
seen.chatStream = await joined(
  await client.chat.completions.create({ model, messages, max_tokens: 4, stream: true, stream_options: { include_usage: true } }), (chunk) => chunk.choices[0]?.delta?.content);
seen.choices = (await client.chat.completions.create({ model, messages, n: 3, max_tokens: 1 })).choices.map((one) => [one.index, one.message.content]);
const runner = client.chat.completions.stream({ model, messages, n: 2, max_tokens: 2 });
seen.assembled = (await runner.finalChatCompletion()).choices.map((one) => [one.index, one.message.content, one.finish_reason]);

const response = await client.responses.create({ model, input: "Hi", max_output_tokens: 4 });
seen.response = [response.output_text, response.usage.output_tokens, response.usage.input_tokens_details.cached_tokens];
seen.responseStream = { text: "", types: [] };
for await (const event of await client.responses.create({ model, input: "Hi", max_output_tokens: 4, stream: true })) {
  if (event.type === "response.output_text.delta") seen.responseStream.text += event.delta;
  else seen.responseStream.types.push(event.type);
}

seen.models = (await client.models.list()).data.map((one) => one.id);

const raw = await client.chat.completions.create({ model, messages, max_tokens: 1 }).withResponse();
seen.requestId = raw.request_id?.length > 0;

// A router whose prefill node refuses, and whose decode node fails inside a stream.
const bad = new OpenAI({ baseURL: broken, apiKey: "sk-none", maxRetries: 0 });
try {
  await bad.completions.create({ model: "refused", prompt: "Hi" });
} catch (error) {
  seen.refusal = [error.status, error.type, error.error?.message];
}
try {
  await joined(await bad.chat.completions.create({ model, messages, max_tokens: 4, stream: true }), (chunk) => chunk.choices[0]?.delta?.content);
} catch (error) {
  seen.streamError = error.message ?? String(error);
}

// Leaving a stream ends the request.
const left = await client.chat.completions.create({ model, messages, max_tokens: 4, stream: true });
for await (const chunk of left) {
  seen.left = chunk.object;
  break;
}
console.log(JSON.stringify(seen));
