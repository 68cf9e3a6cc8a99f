using System.Text.Json.Nodes;
using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>Requests over the documents that ship with the model, and the two legs of a hand-over as the router makes them.</summary>
internal static class Prompts
{
    private static readonly Lazy<JsonNode> Demo =
        new(() => JsonNode.Parse(File.ReadAllText(Path.Combine(ServeNode.ModelDirectory, "demo.json")))!);

    public static string Document(int index) => (string)Demo.Value["documents"]![index]!["text"]!;

    public static string Question(int document, int index) => (string)Demo.Value["documents"]![document]!["questions"]![index]!["question"]!;

    public static string Answer(int document, int index) => (string)Demo.Value["documents"]![document]!["questions"]![index]!["answer"]!;

    /// <summary>A chat request over a document: 24 tokens, drawn with a seed so that a wrong logit shows.</summary>
    public static JsonObject Chat(int document, int question, long seed = 7, double temperature = 0.8) => new()
    {
        ["model"] = "ferry-tiny",
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = $"{Document(document)}\n{Question(document, question)}" }),
        ["max_tokens"] = 24,
        ["min_tokens"] = 24,
        ["temperature"] = temperature,
        ["seed"] = seed,
    };

    /// <summary>The first leg: one token, and the KV kept for a reader.</summary>
    public static JsonObject PrefillLeg(JsonObject request)
    {
        var leg = (JsonObject)request.DeepClone();
        leg["max_tokens"] = 1;
        leg.Remove("min_tokens");
        leg["kv_transfer_params"] = new JsonObject { ["do_remote_decode"] = true, ["do_remote_prefill"] = false };
        return leg;
    }

    /// <summary>The second leg: the request, and where the KV is.</summary>
    public static JsonObject DecodeLeg(JsonObject request, JsonObject transferParams)
    {
        var leg = (JsonObject)request.DeepClone();
        leg["kv_transfer_params"] = transferParams.DeepClone();
        return leg;
    }

    public static async Task<NodeAnswer> DisaggregatedAsync(ServeNode prefill, ServeNode decode, JsonObject request)
    {
        var first = await prefill.PostAsync("/v1/chat/completions", PrefillLeg(request));
        Assert.True(first.TransferParams is not null, $"{prefill.Name} gave no kv_transfer_params: {first.Body.ToJsonString()}");
        return await decode.PostAsync("/v1/chat/completions", DecodeLeg(request, first.TransferParams));
    }
}
