using System.Text;
using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Engine.Tokenization;
using Ferry.Serving.Api.Generation;
using Ferry.Serving.Api.Streaming;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Completions;

/// <summary>The answer of /v1/completions, whole or as a stream.</summary>
internal sealed class CompletionAnswer(
    GenerationPlan plan, CompletionRequest body, IReadOnlyList<CompletionPrompt> prompts, string model, long created, TokenTexts texts, Tokenizer tokenizer) : IAnswer
{
    private readonly ChoiceState[] _choices = [.. Enumerable.Range(0, prompts.Count * plan.ChoicesPerPrompt).Select(_ => new ChoiceState())];

    /// <summary>Prompt log probabilities come with the first increment of a prompt's first choice; its other choices show them, too.</summary>
    private readonly IReadOnlyList<TokenLogprobs?>?[] _promptLogprobs = new IReadOnlyList<TokenLogprobs?>?[prompts.Count];

    private bool EchoesOnly => body.Echo == true && body.MaxTokens == 0;

    public void Take(in RunOutput output)
    {
        if (plan.Stream)
        {
            return;
        }
        _promptLogprobs[output.PromptIndex] ??= output.Output.PromptLogprobs;
        var choice = _choices[output.ChoiceIndex];
        choice.Finish = output.Output.Finish ?? choice.Finish;
        if (!EchoesOnly)
        {
            choice.Text.Append(output.Output.Text);
            choice.TokenIds.AddRange(output.Output.TokenIds);
            choice.Logprobs.AddRange(output.Output.Logprobs);
        }
    }

    public Task WriteWholeAsync(HttpContext context, Usage usage, JsonObject? transferParams, KvProofBody? proof)
    {
        var choices = _choices.Select((choice, index) => Whole(choice, index)).ToArray();
        var response = new CompletionResponse(plan.PublicId, created, model, choices, usage) { KvTransferParams = transferParams, FerryKv = proof };
        return ServingJson.WriteAsync(context, response, ServingJsonContext.Wire.CompletionResponse);
    }

    public Task StreamAsync(SseStream stream, RunOutput output, Usage? usage, CancellationToken cancellationToken)
    {
        var choice = _choices[output.ChoiceIndex];
        var piece = output.Output;
        _promptLogprobs[output.PromptIndex] ??= piece.PromptLogprobs;
        var echo = !choice.HasEchoed && body.Echo == true ? EchoText(output.PromptIndex) : "";
        var logprobs = body.Logprobs is null ? null : new CompletionLogprobs();
        if (logprobs is not null && !choice.HasEchoed && body.Echo == true)
        {
            AppendPrompt(logprobs, output.PromptIndex, choice);
        }
        var isFirst = !choice.HasEchoed;
        choice.HasEchoed = true;
        var text = EchoesOnly ? "" : piece.Text;
        if (logprobs is not null && !EchoesOnly)
        {
            Append(logprobs, piece.Logprobs, choice);
        }
        if (text.Length == 0 && echo.Length == 0 && piece.Finish is null && (logprobs is null || logprobs.Tokens.Count == 0) && body.ReturnTokenIds != true)
        {
            return Task.CompletedTask;   // a token whose text is not certain yet
        }
        var shown = new CompletionChoice(output.ChoiceIndex, echo + text, logprobs, FinishWord(piece.Finish), TokenTexts.StopReason(piece.Finish?.StopReason))
        {
            TokenIds = body.ReturnTokenIds == true ? piece.TokenIds : null,
            PromptTokenIds = body.ReturnTokenIds == true && isFirst ? prompts[output.PromptIndex].Tokens : null,
        };
        return stream.WriteAsync(new CompletionChunk(plan.PublicId, created, model, [shown]) { Usage = usage }, ServingJsonContext.Wire.CompletionChunk, cancellationToken);
    }

    public Task StreamUsageAsync(SseStream stream, Usage usage, KvProofBody? proof, CancellationToken cancellationToken)
    {
        stream.Append(new CompletionChunk(plan.PublicId, created, model, []) { Usage = usage, FerryKv = proof }, ServingJsonContext.Wire.CompletionChunk);
        return Task.CompletedTask;   // [DONE] follows at once and flushes both
    }

    private CompletionChoice Whole(ChoiceState choice, int index)
    {
        var promptIndex = index / plan.ChoicesPerPrompt;
        var promptLogprobs = _promptLogprobs[promptIndex];
        CompletionLogprobs? logprobs = null;
        if (body.Logprobs is not null)
        {
            logprobs = new CompletionLogprobs();
            if (body.Echo == true)
            {
                AppendPrompt(logprobs, promptIndex, choice);
            }
            Append(logprobs, choice.Logprobs, choice);
        }
        var echo = body.Echo == true ? EchoText(promptIndex) : "";
        return new CompletionChoice(index, echo + choice.Text, logprobs, FinishWord(choice.Finish), TokenTexts.StopReason(choice.Finish?.StopReason))
        {
            TokenIds = body.ReturnTokenIds == true ? choice.TokenIds : null,
            PromptTokenIds = body.ReturnTokenIds == true ? prompts[promptIndex].Tokens : null,
            PromptLogprobs = body.PromptLogprobs is not null && promptLogprobs is not null ? texts.PromptLogprobs(promptLogprobs) : null,
        };
    }

    private static string? FinishWord(FinishInfo? finish) => finish is null ? null : RunTally.FinishWord(finish.Reason);

    private string EchoText(int promptIndex) =>
        prompts[promptIndex].Text is { } text && body.TruncatePromptTokens is null ? text : tokenizer.Decode(prompts[promptIndex].Tokens, skipSpecialTokens: false);

    private void AppendPrompt(CompletionLogprobs logprobs, int promptIndex, ChoiceState choice)
    {
        var known = _promptLogprobs[promptIndex];
        for (var position = 0; position < prompts[promptIndex].Tokens.Count; position++)
        {
            var one = known is not null && position < known.Count ? known[position] : null;
            AppendToken(logprobs, prompts[promptIndex].Tokens[position], one, choice);
        }
    }

    private void Append(CompletionLogprobs logprobs, IReadOnlyList<TokenLogprobs> tokens, ChoiceState choice)
    {
        foreach (var token in tokens)
        {
            AppendToken(logprobs, token.TokenId, token, choice);
        }
    }

    private void AppendToken(CompletionLogprobs logprobs, int tokenId, TokenLogprobs? known, ChoiceState choice)
    {
        var text = texts.Text(tokenId);
        logprobs.Tokens.Add(text);
        logprobs.TokenLogprobs.Add(known is null ? null : TokenTexts.Clamp(known.Logprob));
        logprobs.TopLogprobs.Add(known is null ? null : texts.Top(known));
        logprobs.TextOffset.Add(choice.TextOffset);
        choice.TextOffset += text.Length;
    }

    private sealed class ChoiceState
    {
        public StringBuilder Text { get; } = new();

        public List<int> TokenIds { get; } = [];

        public List<TokenLogprobs> Logprobs { get; } = [];

        public FinishInfo? Finish { get; set; }

        public bool HasEchoed { get; set; }

        public int TextOffset { get; set; }
    }
}
