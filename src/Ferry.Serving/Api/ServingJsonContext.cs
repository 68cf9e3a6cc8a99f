using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ferry.Serving.Api.Chat;
using Ferry.Serving.Api.Completions;
using Ferry.Serving.Api.Errors;
using Ferry.Serving.Api.Models;
using Ferry.Serving.Api.Tokens;

namespace Ferry.Serving.Api;

/// <summary>Source-generated JSON of all requests and answers: snake_case, nulls written (as vLLM does) unless a member says otherwise.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    MaxDepth = 64,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(CompletionRequest))]
[JsonSerializable(typeof(CompletionResponse))]
[JsonSerializable(typeof(CompletionChunk))]
[JsonSerializable(typeof(ChatRequest))]
[JsonSerializable(typeof(ChatResponse))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(VersionBody))]
[JsonSerializable(typeof(KvPushPlace))]
[JsonSerializable(typeof(UnauthorizedBody))]
[JsonSerializable(typeof(TokenizeRequest))]
[JsonSerializable(typeof(TokenizeResponse))]
[JsonSerializable(typeof(DetokenizeRequest))]
[JsonSerializable(typeof(DetokenizeResponse))]
internal sealed partial class ServingJsonContext : JsonSerializerContext
{
    /// <summary>What the endpoints use: text as it is, not as \u escapes, since answers are application/json and never part of a page.</summary>
    /// <remarks>The options repeat the attribute's, because the order of static fields in a generated class is not ours to rely on.</remarks>
    public static ServingJsonContext Wire { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        MaxDepth = 64,
        NumberHandling = JsonNumberHandling.AllowReadingFromString,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
