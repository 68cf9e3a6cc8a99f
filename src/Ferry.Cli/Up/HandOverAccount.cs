using System.Globalization;
using Ferry.Cli.Client;

namespace Ferry.Cli.Up;

/// <summary>What one question cost and where each step took place, read from the answer's own proof.</summary>
/// <param name="PromptTokens">Of document and question together.</param>
/// <param name="PrefillCachedTokens">Of those, the ones that the prefill node had already.</param>
/// <param name="MovedTokens">Tokens whose KV the decode node took from outside.</param>
/// <param name="Source">From where: peer, shared, memory; several with '+'.</param>
/// <param name="Steps">Milliseconds of each step that the nodes measured: prefill, transfer, verify, convert.</param>
internal sealed record HandOverAccount(
    string Question, string Answer, string Expected, int PromptTokens, int PrefillCachedTokens, int MovedTokens, long MovedBytes, long ConvertedBytes,
    string Source, string Checksum, string Route, IReadOnlyDictionary<string, double> Steps, int AnswerTokens, double TimeToFirstTokenMs, double TotalMs)
{
    /// <summary>Whether the answer holds the expected words, capitals aside.</summary>
    public bool IsRight => Answer.Contains(Expected, StringComparison.OrdinalIgnoreCase);

    public static HandOverAccount From(string question, string expected, ChatTurn turn) => new(
        question, turn.Text.Trim(), expected, turn.PromptTokens,
        (int)Number(turn, "x-ferry-prefill-cached-tokens"), (int)Number(turn, "x-ferry-kv-tokens"),
        Number(turn, "x-ferry-kv-bytes-moved"), Number(turn, "x-ferry-kv-bytes-converted"),
        turn.Headers.GetValueOrDefault("x-ferry-kv-source", "none"), turn.Headers.GetValueOrDefault("x-ferry-kv-checksum", "none"),
        turn.Headers.GetValueOrDefault("x-ferry-route", ""),
        ReadSteps(turn.Headers.GetValueOrDefault("x-ferry-kv-ms", ""), turn.Headers.GetValueOrDefault("x-ferry-prefill-ms", "")),
        turn.CompletionTokens, turn.TimeToFirstToken.TotalMilliseconds, turn.Total.TotalMilliseconds);

    /// <summary>Why this was no hand-over; null when KV of the prompt crossed and its checksums held.</summary>
    public string? Failure() => this switch
    {
        { MovedTokens: 0 } => $"no KV reached the decode node ({Reason()})",
        { MovedBytes: 0 } => $"the decode node reports {MovedTokens} tokens, but no byte moved ({Reason()})",
        { Checksum: not "verified" } => $"the checksums of the moved KV are '{Checksum}', not 'verified'",
        _ => null,
    };

    private string Reason() => Route.Length > 0 ? Route : "the router gave no reason";

    private static long Number(ChatTurn turn, string header) =>
        long.TryParse(turn.Headers.GetValueOrDefault(header), NumberStyles.Integer, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static Dictionary<string, double> ReadSteps(string exchange, string prefill)
    {
        var steps = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var part in exchange.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Append($"prefill={prefill}"))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && double.TryParse(part.AsSpan(equals + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
            {
                steps[part[..equals]] = value;
            }
        }
        return steps;
    }
}
