using System.Text.Json.Nodes;
using Ferry.Engine.Generation;
using Ferry.Serving.Metrics;

namespace Ferry.Serving.Api.Generation;

/// <summary>Counts and times of one request while its tokens come out. One reader.</summary>
internal sealed class RunTally
{
    private readonly GenerationPlan _plan;
    private readonly ServingMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly long _arrived;
    private readonly int[] _choiceTokens;
    private readonly long[] _lastTokenAt;
    private readonly int[] _cachedByPrompt;
    private readonly int[] _externalByPrompt;

    public RunTally(GenerationPlan plan, ServingMetrics metrics, TimeProvider clock, long arrived)
    {
        _plan = plan;
        _metrics = metrics;
        _clock = clock;
        _arrived = arrived;
        _choiceTokens = new int[plan.Prompts.Count * plan.ChoicesPerPrompt];
        _lastTokenAt = new long[_choiceTokens.Length];
        _cachedByPrompt = new int[plan.Prompts.Count];
        _externalByPrompt = new int[plan.Prompts.Count];
    }

    public TimeSpan? TimeToFirstToken { get; private set; }

    public TimeSpan Elapsed => _clock.GetElapsedTime(_arrived);

    /// <summary>Complete when all choices are finished.</summary>
    public int CachedTokens => _cachedByPrompt.Sum();

    public int ExternalTokens => _externalByPrompt.Sum();

    public int CompletionTokens => _choiceTokens.Sum();

    public string LastFinishReason { get; private set; } = "none";

    /// <summary>As vLLM: the first prompt's.</summary>
    public JsonObject? TransferParams { get; private set; }

    /// <exception cref="Errors.ApiException">The engine failed the choice.</exception>
    public void Observe(in RunOutput output)
    {
        var now = _clock.GetTimestamp();
        var tokenCount = output.Output.TokenIds.Count;
        if (tokenCount > 0)
        {
            ObserveTokens(output.ChoiceIndex, tokenCount, now);
        }
        if (output.Output.Finish is not { } finish)
        {
            return;
        }
        LastFinishReason = FinishWord(finish.Reason);
        _cachedByPrompt[output.PromptIndex] = Math.Max(_cachedByPrompt[output.PromptIndex], finish.CachedTokens);
        _externalByPrompt[output.PromptIndex] = Math.Max(_externalByPrompt[output.PromptIndex], finish.ExternalTokens);
        if (output.PromptIndex == 0)
        {
            TransferParams ??= finish.TransferParams;
        }
        _metrics.ChoiceFinished(finish, _plan.Prompts[output.PromptIndex].Count, _choiceTokens[output.ChoiceIndex], Elapsed);
        if (finish.Reason == FinishReason.Error)
        {
            throw Errors.ApiException.Internal();
        }
    }

    public Usage UsageSoFar() => new(_plan.PromptTokens, _plan.PromptTokens + CompletionTokens, CompletionTokens);

    public Usage FinalUsage() => UsageSoFar() with { PromptTokensDetails = new PromptTokensDetails(CachedTokens) };

    public static string FinishWord(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop",
        FinishReason.Length => "length",
        FinishReason.Abort => "abort",
        _ => "error",
    };

    private void ObserveTokens(int choiceIndex, int tokenCount, long now)
    {
        if (TimeToFirstToken is null)
        {
            TimeToFirstToken = _clock.GetElapsedTime(_arrived, now);
            _metrics.FirstToken(TimeToFirstToken.Value);
        }
        else if (_choiceTokens[choiceIndex] > 0)
        {
            _metrics.InterToken(_clock.GetElapsedTime(_lastTokenAt[choiceIndex], now));
        }
        _choiceTokens[choiceIndex] += tokenCount;
        _lastTokenAt[choiceIndex] = now;
    }
}
