using System.Text;
using Ferry.Engine;
using Ferry.Engine.Generation;
using Ferry.Kv.Layout;
using Ferry.Serving.Api;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Generation;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Serving.Api;

public sealed class SamplingReaderTests
{
    private static readonly EngineInfo Engine = new()
    {
        ModelName = "m",
        VocabularySize = 100,
        MaxModelLen = 64,
        MaxNumSeqs = 1,
        MaxNumBatchedTokens = 64,
        BlockTokens = 16,
        BlockCount = 4,
        TensorParallelSize = 1,
        KvDType = KvDType.BFloat16,
        Device = DeviceProfile.Cpu,
        DefaultSampling = new SamplingParams { Temperature = 0.6f, TopP = 0.9f, TopK = 20 },
    };

    [Fact]
    public void Read_NothingGiven_TakesTheModelsDefaults()
    {
        var sampling = Read("""{"temperature":null}""");
        Assert.Equal((0.6f, 0.9f, 20, 1, 8), (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.N, sampling.MaxTokens));
    }

    [Fact]
    public void Read_AllGiven_TakesEach()
    {
        var sampling = Read("""
            {"temperature":0,"top_p":0.5,"top_k":-1,"min_p":0.1,"repetition_penalty":1.1,"presence_penalty":-2,"frequency_penalty":2,"seed":7,"stop":["a","b"],
             "stop_token_ids":[3],"include_stop_str_in_output":true,"ignore_eos":true,"min_tokens":2,"skip_special_tokens":false,"logit_bias":{"5":150},"allowed_token_ids":[1,2],"n":"2"}
            """);
        Assert.Equal((0f, 0.5f, -1, 0.1f, 1.1f, -2f, 2f), (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP, sampling.RepetitionPenalty, sampling.PresencePenalty, sampling.FrequencyPenalty));
        Assert.Equal((7L, true, true, 2, false, 2), (sampling.Seed!.Value, sampling.IncludeStopInOutput, sampling.IgnoreEos, sampling.MinTokens, sampling.SkipSpecialTokens, sampling.N));
        Assert.Equal(["a", "b"], sampling.Stop);
        Assert.Equal(100f, sampling.LogitBias[5]);
        Assert.Equal([1, 2], sampling.AllowedTokenIds!);
    }

    [Theory]
    [InlineData("""{"temperature":-1}""", "temperature must be non-negative")]
    [InlineData("""{"top_p":0}""", "top_p must be in (0, 1], got 0.")]
    [InlineData("""{"top_p":1.5}""", "top_p must be in (0, 1], got 1.5.")]
    [InlineData("""{"top_k":-2}""", "top_k must be 0 (disable), or at least 1, got -2.")]
    [InlineData("""{"min_p":2}""", "min_p must be in [0, 1], got 2.")]
    [InlineData("""{"presence_penalty":3}""", "presence_penalty must be in [-2, 2], got 3.")]
    [InlineData("""{"frequency_penalty":-3}""", "frequency_penalty must be in [-2, 2], got -3.")]
    [InlineData("""{"repetition_penalty":0}""", "repetition_penalty must be greater than zero, got 0.")]
    [InlineData("""{"n":0}""", "n must be at least 1, got 0.")]
    [InlineData("""{"n":1000}""", "n must be at most 128, got 1000.")]
    [InlineData("""{"min_tokens":9}""", "min_tokens must be less than or equal to max_tokens=8, got 9.")]
    [InlineData("""{"stop":5}""", "stop must be a string or a list of strings.")]
    [InlineData("""{"stop":""}""", "every stop string must have 1 to 1024 characters.")]
    [InlineData("""{"stop_token_ids":[100]}""", "stop_token_ids contains 100; token ids lie in 0..99.")]
    [InlineData("""{"allowed_token_ids":[]}""", "allowed_token_ids is empty: no token could be generated.")]
    [InlineData("""{"logit_bias":{"x":1}}""", "logit_bias has the key 'x'; keys are token ids in 0..99.")]
    public void Read_OutOfRange_IsABadRequestWithVllmsWords(string json, string message)
    {
        var error = Assert.Throws<ApiException>(() => Read(json));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.Equal((400, "BadRequestError"), (error.Status, error.Type));
        Assert.NotNull(error.Parameter);
    }

    [Fact]
    public void Read_LogprobsAboveTheLimit_NamesBoth() =>
        Assert.Equal("Requested sample logprobs of 21, which is greater than max allowed: 20", Assert.Throws<ApiException>(() => Read("{}", logprobs: 21)).Message);

    [Theory]
    [InlineData("""{"response_format":{"type":"json_schema"}}""", "response_format")]
    [InlineData("""{"response_format":{"type":"json_object"}}""", "response_format")]
    [InlineData("""{"structured_outputs":{"regex":"a"}}""", "structured_outputs")]
    [InlineData("""{"use_beam_search":true}""", "use_beam_search")]
    [InlineData("""{"prompt_embeds":"AAAA"}""", "prompt_embeds")]
    [InlineData("""{"bad_words":["x"]}""", "bad_words")]
    [InlineData("""{"tools":[{"type":"function"}]}""", "tools")]
    [InlineData("""{"continue_final_message":true}""", "continue_final_message")]
    public void Refuse_KnownButUnsupported_IsNotImplemented(string json, string field)
    {
        var error = Assert.Throws<ApiException>(() => UnsupportedFields.Refuse(ServingJson.Parse(Encoding.UTF8.GetBytes(json), ServingJsonContext.Wire.ChatRequest)));
        Assert.Equal((501, field), (error.Status, error.Parameter));
    }

    [Theory]
    [InlineData("""{"response_format":{"type":"text"},"structured_outputs":null,"bad_words":[],"use_beam_search":false}""")]
    [InlineData("""{"tools":[{"type":"function"}],"tool_choice":"none"}""")]
    [InlineData("""{"tools":[],"documents":null,"some_future_field":{"a":1}}""")]
    public void Refuse_FieldsThatAskForNothing_Pass(string json) =>
        UnsupportedFields.Refuse(ServingJson.Parse(Encoding.UTF8.GetBytes(json), ServingJsonContext.Wire.ChatRequest));

    [Theory]
    [InlineData(10, 64, null, 54)]
    [InlineData(10, 64, 20, 20)]
    [InlineData(63, 64, 1, 1)]
    public void MaxTokens_ThatFit_AreGranted(int prompt, int context, int? asked, int granted) =>
        Assert.Equal(granted, ContextBudget.MaxTokens(prompt, context, asked, "max_tokens"));

    [Theory]
    [InlineData(64, 64, null, "This model's maximum context length is 64 tokens. However, your request has 64 input tokens.")]
    [InlineData(60, 64, 5, "'max_tokens' or 'max_completion_tokens' is too large: 5. This model's maximum context length is 64 tokens and your request has 60 input tokens (5 > 64 - 60).")]
    [InlineData(10, 64, 0, "max_tokens must be at least 1, got 0.")]
    [InlineData(0, 64, 1, "The prompt is empty")]
    public void MaxTokens_ThatDoNotFit_AreRefusedWithBothNumbers(int prompt, int context, int? asked, string message) =>
        Assert.StartsWith(message, Assert.Throws<ApiException>(() => ContextBudget.MaxTokens(prompt, context, asked, "max_tokens")).Message, StringComparison.Ordinal);

    [Fact]
    public void Truncate_Prompt_KeepsItsEnd()
    {
        Assert.Equal([3, 4], ContextBudget.Truncate([1, 2, 3, 4], 2, 64));
        Assert.Equal([2, 3, 4], ContextBudget.Truncate([1, 2, 3, 4], -1, 4));
        Assert.Equal([1, 2], ContextBudget.Truncate([1, 2], null, 4));
    }

    private static SamplingParams Read(string json, int? logprobs = null) => SamplingReader.Read(
        ServingJson.Parse(Encoding.UTF8.GetBytes(json), ServingJsonContext.Wire.CompletionRequest), Engine, new ApiOptions(), 8, logprobs, null);
}
