using System.Text;
using System.Text.Json.Nodes;
using Ferry.Router;
using Ferry.Router.Bodies;
using Ferry.Router.Connectors;
using Ferry.TestKit;
using Xunit;

namespace Ferry.UnitTests.Router;

/// <summary>The legs against those of the reference proxies, recorded on the wire.</summary>
public sealed class LegBodyTests
{
    public static TheoryData<string, string> Recordings
    {
        get
        {
            var data = new TheoryData<string, string>();
            // LMCache's own disagg_prefill is left out: its legs are token ids, and the second continues after the first's token (lmcache PD, not a prefix hand-over).
            foreach (var (proxy, cases) in Recorded().Where(pair => pair.Key != "lmcache_disagg_prefill"))
            {
                foreach (var one in cases!.AsArray())
                {
                    data.Add(proxy, one!["case"]!.GetValue<string>());
                }
            }
            return data;
        }
    }

    [Theory]
    [InlineData("""{"model":"m","max_tokens":5,"prompt":"long" } """, "\"prompt\":\"long\" } ")]
    [InlineData("""{"prompt":"long","max_tokens":5}""", "}")]
    [InlineData("""{"max_tokens":5}""", "}")]
    public void Build_AnyPlaceOfWhatStays_NothingStandsBehindTheClientsOwnEnd(string client, string last)
    {
        var leg = PrefillLeg.Build(JsonBody.Parse(Encoding.UTF8.GetBytes(client)), ApiKind.Completions, NixlWish.Bytes);
        Assert.Equal(last, Encoding.UTF8.GetString(leg.Parts[^1].Span));
        var expected = JsonNode.Parse(client)!.AsObject();
        expected["max_tokens"] = 1;
        expected["stream"] = false;
        expected["kv_transfer_params"] = JsonNode.Parse(NixlWish.Bytes.Span);
        AssertSame(expected, leg);
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Legs_OfARecordedRequest_EqualTheProxysWhereTheyShould(string proxy, string name)
    {
        var recorded = Recorded()[proxy]!.AsArray().Single(one => one!["case"]!.GetValue<string>() == name)!;
        var isChat = recorded["path"]!.GetValue<string>() == "/v1/chat/completions";
        var body = JsonBody.Parse(Encoding.UTF8.GetBytes(recorded["body"]!.ToJsonString()));
        var legs = recorded["legs"]!.AsArray();
        var handsParams = proxy is "vllm_toy_proxy" or "production_stack_router_disaggregated_prefill_orchestrated";

        var expectedPrefill = legs.Single(leg => leg!["backend"]!.GetValue<string>() == "prefill")!["body"]!.DeepClone().AsObject();
        if (isChat)
        {
            expectedPrefill["max_completion_tokens"] = 1;   // ours always: some servers read nothing else
        }
        expectedPrefill.Remove("min_tokens");               // some leave it, and vLLM then refuses min_tokens > max_tokens
        if (!handsParams)
        {
            expectedPrefill.Remove("kv_transfer_params");   // those of the client, which must not pass
        }
        AssertSame(expectedPrefill, PrefillLeg.Build(body, isChat ? ApiKind.Chat : ApiKind.Completions, handsParams ? NixlWish.Bytes : default));

        var expectedDecode = legs.Single(leg => leg!["backend"]!.GetValue<string>() == "decode")!["body"]!.DeepClone().AsObject();
        if (!handsParams)
        {
            expectedDecode.Remove("kv_transfer_params");
        }
        var returned = handsParams ? Encoding.UTF8.GetBytes(expectedDecode["kv_transfer_params"]!.ToJsonString()) : [];
        AssertSame(expectedDecode, DecodeLeg.Build(body, returned));
    }

    [Fact]
    public void Prefill_OutputOptions_AreDroppedAndPromptOptionsKept()
    {
        var body = Parse("""
            {"model":"m","messages":[],"n":3,"stream":true,"stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":5,"response_format":{"type":"json_object"},"stop":["x"],"min_tokens":4,
             "echo":true,"tools":[{"type":"function"}],"chat_template_kwargs":{"a":1},"cache_salt":"s","truncate_prompt_tokens":9,"add_generation_prompt":false,"temperature":0.5}
            """);
        var leg = JsonNode.Parse(PrefillLeg.Build(body, ApiKind.Chat, NixlWish.Bytes).ToArray())!.AsObject();
        Assert.Equal(
            ["max_tokens", "max_completion_tokens", "stream", "n", "kv_transfer_params", "model", "messages", "tools", "chat_template_kwargs", "cache_salt", "truncate_prompt_tokens", "add_generation_prompt", "temperature"],
            leg.Select(member => member.Key));
        Assert.Equal((1, 1, 1, false), (leg["max_tokens"]!.GetValue<int>(), leg["max_completion_tokens"]!.GetValue<int>(), leg["n"]!.GetValue<int>(), leg["stream"]!.GetValue<bool>()));
    }

    [Theory]
    [InlineData("""{"prompt":"x","kv_transfer_params":{"remote_host":"169.254.169.254"}}""")]
    [InlineData("""{"kv_transfer_p\u0061rams":{"remote_host":"evil"},"prompt":"x"}""")]
    [InlineData("""{"kv_transfer_params":1,"prompt":"x","kv_transfer_params":{"remote_host":"evil"}}""")]
    public void Decode_ClientsOwnParameters_AreStripped(string json) =>
        Assert.Equal("""{"prompt":"x"}""", Encoding.UTF8.GetString(DecodeLeg.Build(Parse(json), default).ToArray()));

    [Fact]
    public void Decode_UntouchedMembers_StayByteForByte()
    {
        const string kept = """ "prompt" : "a\u00e9\n😀"  , "temperature" : 1.00e0 , "x":{ "deep" : [1 , 2 ] }""";
        var leg = Encoding.UTF8.GetString(DecodeLeg.Build(Parse($"{{{kept}}}"), Encoding.UTF8.GetBytes("""{"a":[[1]]}""")).ToArray());
        Assert.Equal("""{"kv_transfer_params":{"a":[[1]]},"prompt" : "a\u00e9\n😀"  , "temperature" : 1.00e0 , "x":{ "deep" : [1 , 2 ] }}""", leg);
    }

    [Fact]
    public void Decode_EmptyObject_StaysAnObject() => Assert.Equal("{}", Encoding.UTF8.GetString(DecodeLeg.Build(Parse("{}"), default).ToArray()));

    [Theory]
    [InlineData("", "valid JSON")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("{\"a\":1} x", "valid JSON")]
    [InlineData("{\"a\":}", "valid JSON")]
    [InlineData("{\"a\":1", "valid JSON")]
    public void Parse_NoObject_IsABadRequest(string json, string message)
    {
        var error = Assert.Throws<RouterException>(() => Parse(json));
        Assert.Equal(400, error.Status);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_TenThousandNestedArrays_IsABadRequest() =>
        Assert.Equal(400, Assert.Throws<RouterException>(() => Parse("{\"a\":" + new string('[', 10_000) + new string(']', 10_000) + "}")).Status);

    [Theory]
    [InlineData("""{"prompt":"one"}""", 0)]
    [InlineData("""{"prompt":[1,2,3]}""", 0)]
    [InlineData("""{"prompt":["a","b"]}""", 2)]
    [InlineData("""{"prompt":[[1,2],[3]]}""", 2)]
    [InlineData("""{"prompt":["a",1]}""", 0)]
    [InlineData("""{"prompt":[]}""", 0)]
    [InlineData("""{}""", 0)]
    public void Shape_Prompt_SplitsListsOnly(string json, int prompts) => Assert.Equal(prompts, RequestShape.Of(Parse(json), ApiKind.Completions, 256).Prompts.Count);

    [Theory]
    [InlineData("""{"use_beam_search":true}""", "beam search")]
    [InlineData("""{"stream":true,"prompt_logprobs":0}""", "streamed prompt log probabilities")]
    [InlineData("""{"echo":true,"max_tokens":0}""", "echo without generation")]
    [InlineData("""{"n":300}""", "300 answers")]
    [InlineData("""{"n":2}""", null)]
    [InlineData("""{"prompt_logprobs":1}""", null)]
    [InlineData("""{"n":1,"echo":true,"logprobs":null,"prompt_logprobs":null}""", null)]
    public void Shape_WhatOnlyOneNodeCanDo_IsDecodeOnlyWithItsReason(string json, string? reason) => Assert.Equal(reason, RequestShape.Of(Parse(json), ApiKind.Completions, 256).DecodeOnlyReason);

    [Fact]
    public void Shape_MorePromptsThanTheLimit_AreNotSplit() =>
        Assert.Equal((0, "3 prompts"), (RequestShape.Of(Parse("""{"prompt":["a","b","c"]}"""), ApiKind.Completions, 2).Prompts.Count, RequestShape.Of(Parse("""{"prompt":["a","b","c"]}"""), ApiKind.Completions, 2).DecodeOnlyReason));

    [Theory]
    [InlineData("""{"prompt":["a","b"],"n":3}""", ApiKind.Completions, 2, 3)]
    [InlineData("""{"messages":[],"n":3}""", ApiKind.Chat, 0, 3)]
    [InlineData("""{"input":"x","n":3}""", ApiKind.Responses, 0, 1)]
    internal void Shape_Choices_GetLegsOfTheirOwn(string json, ApiKind api, int prompts, int choices)
    {
        var shape = RequestShape.Of(Parse(json), api, 256);
        Assert.Equal((prompts, choices, choices > 1), (shape.Prompts.Count, shape.Choices, shape.FansOut));
    }

    [Theory]
    [InlineData("""{"kv_transfer_params":{"remote_host":"h"}}""", """{"remote_host":"h"}""")]
    [InlineData("""{"kv_transfer_params":null}""", "")]
    [InlineData("""{"kv_transfer_params":{}}""", "")]
    [InlineData("""{"choices":[]}""", "")]
    [InlineData("no json", "")]
    public void Reply_Parameters_AreTakenRawOrNotAtAll(string reply, string parameters) =>
        Assert.Equal(parameters, Encoding.UTF8.GetString(NodeReply.Read(Encoding.UTF8.GetBytes(reply)).TransferParams.Span));

    private static JsonBody Parse(string json) => JsonBody.Parse(Encoding.UTF8.GetBytes(json));

    private static JsonObject Recorded() => JsonNode.Parse(File.ReadAllText(RepositoryRoot.At("tests", "data", "router", "toy_proxy_recordings.json")))!.AsObject();

    private static void AssertSame(JsonNode expected, LegBody leg)
    {
        var actual = leg.ToArray();
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(actual)), $"expected {expected.ToJsonString()}\nactual   {Encoding.UTF8.GetString(actual)}");
    }
}
