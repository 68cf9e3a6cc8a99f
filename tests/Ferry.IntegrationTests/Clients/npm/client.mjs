// Drives the npm client against a base URL and prints what it saw as one line of JSON.
import OpenAI from "openai";

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "sk-none", maxRetries: 0 });
const seen = {};

const completion = await client.completions.create({ model, prompt: "Hi", max_tokens: 5 });
seen.completion = completion.choices[0].text;

const chat = await client.chat.completions.create({ model, messages: [{ role: "user", content: "Hi" }], max_completion_tokens: 5 });
seen.chat = chat.choices[0].message.content;
seen.finish = chat.choices[0].finish_reason;
seen.usage = chat.usage.completion_tokens;

const stream = await client.chat.completions.create({
  model, messages: [{ role: "user", content: "Hi" }], stream: true, stream_options: { include_usage: true }, max_tokens: 5,
});
seen.streamed = "";
for await (const chunk of stream) {
  seen.streamed += chunk.choices[0]?.delta?.content ?? "";
  if (chunk.usage) seen.streamedUsage = chunk.usage.completion_tokens;
}

seen.models = (await client.models.list()).data.map((one) => one.id);
try {
  await client.completions.create({ model, prompt: "Hi", temperature: -1 });
} catch (error) {
  seen.error = { status: error.status, type: error.type, message: error.error?.message };
}
console.log(JSON.stringify(seen));
