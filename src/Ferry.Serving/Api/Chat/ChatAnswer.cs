using System.Text;
using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Serving.Api.Generation;
using Ferry.Serving.Api.Streaming;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Chat;

/// <summary>The answer of /v1/chat/completions, whole or as a stream.</summary>
internal sealed class ChatAnswer(GenerationPlan plan, ChatRequest body, string model, long created, TokenTexts texts, string role) : IAnswer
{
    private readonly ChoiceState[] _choices = [.. Enumerable.Range(0, plan.ChoicesPerPrompt).Select(_ => new ChoiceState())];
    private IReadOnlyList<TokenLogprobs?>? _promptLogprobs;
    private bool _hasBegun;

    public void Take(in RunOutput output)
    {
        if (plan.Stream)
        {
            return;
        }
        _promptLogprobs ??= output.Output.PromptLogprobs;
        var choice = _choices[output.ChoiceIndex];
        choice.Finish = output.Output.Finish ?? choice.Finish;
        choice.Text.Append(output.Output.Text);
        choice.TokenIds.AddRange(output.Output.TokenIds);
        choice.Logprobs.AddRange(output.Output.Logprobs);
    }

    public Task WriteWholeAsync(HttpContext context, Usage usage, JsonObject? transferParams, KvProofBody? proof)
    {
        var choices = _choices.Select((choice, index) => new ChatChoice(
            index, new ChatMessage(role, choice.Text.ToString()), Logprobs(choice.Logprobs), FinishWord(choice.Finish), TokenTexts.StopReason(choice.Finish?.StopReason))
        {
            TokenIds = body.ReturnTokenIds == true ? choice.TokenIds : null,
        });
        var response = new ChatResponse(plan.PublicId, created, model, [.. choices], usage)
        {
            PromptLogprobs = _promptLogprobs is null ? null : texts.PromptLogprobs(_promptLogprobs),
            PromptTokenIds = body.ReturnTokenIds == true ? plan.Prompts[0] : null,
            KvTransferParams = transferParams,
            FerryKv = proof,
        };
        return ServingJson.WriteAsync(context, response, ServingJsonContext.Wire.ChatResponse);
    }

    public Task StreamAsync(SseStream stream, RunOutput output, Usage? usage, CancellationToken cancellationToken)
    {
        if (!_hasBegun)
        {
            Begin(stream, usage is null ? null : new Usage(plan.PromptTokens, plan.PromptTokens, 0));
        }
        var piece = output.Output;
        if (piece.Text.Length == 0 && piece.Finish is null && piece.Logprobs.Count == 0 && body.ReturnTokenIds != true)
        {
            return Task.CompletedTask;   // a token whose text is not certain yet
        }
        var choice = new ChatChunkChoice(output.ChoiceIndex, new ChatDelta(null, piece.Text), Logprobs(piece.Logprobs), FinishWord(piece.Finish))
        {
            StopReason = TokenTexts.StopReason(piece.Finish?.StopReason),
            TokenIds = body.ReturnTokenIds == true ? piece.TokenIds : null,
        };
        return stream.WriteAsync(Chunk([choice]) with { Usage = usage }, ServingJsonContext.Wire.ChatChunk, cancellationToken);
    }

    public Task StreamUsageAsync(SseStream stream, Usage usage, KvProofBody? proof, CancellationToken cancellationToken)
    {
        stream.Append(Chunk([]) with { Usage = usage, FerryKv = proof }, ServingJsonContext.Wire.ChatChunk);
        return Task.CompletedTask;   // [DONE] follows at once and flushes both
    }

    /// <summary>The role of each choice, before its first text; flushed with it.</summary>
    private void Begin(SseStream stream, Usage? usage)
    {
        _hasBegun = true;
        for (var index = 0; index < _choices.Length; index++)
        {
            var chunk = Chunk([new ChatChunkChoice(index, new ChatDelta(role, ""), null, null)]) with
            {
                Usage = usage,
                PromptTokenIds = body.ReturnTokenIds == true && index == 0 ? plan.Prompts[0] : null,
            };
            stream.Append(chunk, ServingJsonContext.Wire.ChatChunk);
        }
    }

    private ChatChunk Chunk(IReadOnlyList<ChatChunkChoice> choices) => new(plan.PublicId, created, model, choices);

    private static string? FinishWord(FinishInfo? finish) => finish is null ? null : RunTally.FinishWord(finish.Reason);

    private ChatLogprobs? Logprobs(IReadOnlyList<TokenLogprobs> tokens) =>
        body.Logprobs != true ? null : new ChatLogprobs([.. tokens.Select(Entry)]);

    private ChatTokenLogprob Entry(TokenLogprobs token) => new(
        texts.Text(token.TokenId), TokenTexts.Clamp(token.Logprob), texts.Bytes(token.TokenId),
        [.. token.Top.Select(top => new ChatTopLogprob(texts.Text(top.TokenId), TokenTexts.Clamp(top.Logprob), texts.Bytes(top.TokenId)))]);

    private sealed class ChoiceState
    {
        public StringBuilder Text { get; } = new();

        public List<int> TokenIds { get; } = [];

        public List<TokenLogprobs> Logprobs { get; } = [];

        public FinishInfo? Finish { get; set; }
    }
}
