using System.Globalization;
using Ferry.Serving.Options;
using Microsoft.AspNetCore.Http;

namespace Ferry.Serving.Api.Generation;

/// <summary>What is proven about the KV of one answer: which bytes moved, whether they were converted and verified, and whether that was what should have happened.</summary>
internal sealed class KvProof
{
    private readonly KvRequestReport _report;
    private readonly bool _expected;
    private readonly bool _happened;

    private KvProof(KvRequestReport report, bool expected, bool happened)
    {
        _report = report;
        _expected = expected;
        _happened = happened;
    }

    public string Source => _report.Source;

    public string Reason => _report.Reason ?? "nothing was loaded";

    /// <summary>Whether KV should have moved and did not.</summary>
    public bool IsMissed => _expected && !_happened;

    /// <param name="reports">Null when this node exchanges no KV.</param>
    /// <param name="tally">Null at the first token, when cached tokens are not known yet.</param>
    public static KvProof Of(GenerationPlan plan, IReadOnlyList<string> engineIds, IKvReports? reports, RunTally? tally, int blockTokens)
    {
        var report = Sum(engineIds, reports);
        var happened = report.Tokens > 0 || (tally is not null && IsCovered(plan, tally, blockTokens));
        if (plan.ExpectsHandover && reports is null)
        {
            report = report with { Reason = "this node exchanges no KV" };
        }
        return new KvProof(report, plan.ExpectsHandover && plan.PromptTokens > 1, happened);
    }

    public void WriteHeaders(HttpResponse response)
    {
        var headers = response.Headers;
        headers["x-ferry-kv-source"] = _report.Source;
        headers["x-ferry-kv-tokens"] = _report.Tokens.ToString(CultureInfo.InvariantCulture);
        headers["x-ferry-kv-bytes-moved"] = _report.BytesMoved.ToString(CultureInfo.InvariantCulture);
        headers["x-ferry-kv-bytes-converted"] = _report.BytesConverted.ToString(CultureInfo.InvariantCulture);
        headers["x-ferry-kv-checksum"] = Checksum;
        headers["x-ferry-kv-ms"] = string.Create(CultureInfo.InvariantCulture, $"transfer={_report.MoveTime.TotalMilliseconds:F2}, verify={_report.VerifyTime.TotalMilliseconds:F2}, convert={_report.ConvertTime.TotalMilliseconds:F2}");
        if (_report.Mode is { } mode)
        {
            headers["x-ferry-kv-mode"] = mode.Name();
        }
        if (_expected)
        {
            headers["x-ferry-kv-handover"] = _happened ? "yes" : $"no({HeaderText(Reason)})";
        }
    }

    public KvProofBody ToBody() => new(
        _report.Source, _report.Tokens, _report.BytesMoved, _report.BytesConverted, Checksum, _expected, _expected && _happened, _report.Reason, _report.Conversion,
        _report.FetchTime.TotalMilliseconds, _report.ConvertTime.TotalMilliseconds, _report.Mode?.Name());

    private string Checksum => _report.Checksum switch
    {
        KvChecksumState.Verified => "verified",
        KvChecksumState.Failed => "failed",
        _ => "none",
    };

    /// <summary>The engine's own prefix cache held all that a hand-over could bring, or the engine took tokens from outside.</summary>
    private static bool IsCovered(GenerationPlan plan, RunTally tally, int blockTokens)
    {
        // The last prompt token is always computed, and the prefix cache holds whole blocks.
        var coverable = plan.Prompts.Sum(prompt => (prompt.Count - 1) / blockTokens * blockTokens);
        return tally.ExternalTokens > 0 || (coverable > 0 && tally.CachedTokens >= coverable);
    }

    private static KvRequestReport Sum(IReadOnlyList<string> engineIds, IKvReports? reports)
    {
        var sum = new KvRequestReport();
        foreach (var id in engineIds)
        {
            if (reports?.TryGet(id) is not { } one)
            {
                continue;
            }
            sum = sum with
            {
                Source = sum.Source == "none" || sum.Source == one.Source ? one.Source : one.Source == "none" ? sum.Source : $"{sum.Source}+{one.Source}",
                Tokens = sum.Tokens + one.Tokens,
                BytesMoved = sum.BytesMoved + one.BytesMoved,
                BytesConverted = sum.BytesConverted + one.BytesConverted,
                BytesSaved = sum.BytesSaved + one.BytesSaved,
                Checksum = (KvChecksumState)Math.Max((int)sum.Checksum, (int)one.Checksum),
                Nacks = sum.Nacks + one.Nacks,
                FetchTime = sum.FetchTime + one.FetchTime,
                VerifyTime = sum.VerifyTime + one.VerifyTime,
                ConvertTime = sum.ConvertTime + one.ConvertTime,
                Mode = one.Mode ?? sum.Mode,
                HandoverBytes = sum.HandoverBytes + one.HandoverBytes,
                Conversion = one.Conversion.Length > 0 ? one.Conversion : sum.Conversion,
                Reason = sum.Reason ?? one.Reason,
            };
        }
        return sum;
    }

    /// <summary>Visible ASCII only: a reason may carry an exception's text.</summary>
    private static string HeaderText(string text) =>
        string.Concat(text.Take(200).Select(character => character is >= ' ' and <= '~' ? character : '?'));
}
