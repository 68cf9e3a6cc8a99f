using System.Globalization;
using System.Text;

namespace Ferry.Router.Bodies;

/// <summary>Mends what a decode node says of a prompt that it did not compute, by replacing the few bytes in question.</summary>
internal static class AnswerEdit
{
    private static readonly byte[] Null = "null"u8.ToArray();
    private static readonly byte[] Details = "prompt_tokens_details"u8.ToArray();
    private static readonly byte[] InputDetails = "input_tokens_details"u8.ToArray();

    /// <summary>The data of an event in parts, or null when nothing is to be mended.</summary>
    public static LegBody? Mend(ReadOnlyMemory<byte> data, bool handedOver, int? prefillCachedTokens) =>
        JsonBody.TryParse(data) is { } body ? Mend(body, handedOver, prefillCachedTokens) : null;

    /// <summary>The answer (or the data of an event) in parts, or null when nothing is to be mended.</summary>
    /// <param name="prefillCachedTokens">What the prefill node had: the decode node counts every fetched token as cached. Null: it did not say, so nobody knows.</param>
    /// <param name="handedOver">False: the decode node's own count is right.</param>
    public static LegBody? Mend(JsonBody body, bool handedOver, int? prefillCachedTokens)
    {
        var answer = body.Bytes;
        var cuts = new List<(int Start, int End, byte[] Instead)>(2);
        if (handedOver)
        {
            Cached(body, 0, prefillCachedTokens, cuts);
        }
        // A decode node's own parameters name hosts inside the cluster; no client needs them.
        if (body.TryFind("kv_transfer_params"u8, out var parameters) && answer.Span[parameters.ValueStart] == (byte)'{')
        {
            cuts.Add((parameters.ValueStart, parameters.End, Null));
        }
        return cuts.Count == 0 ? null : Splice(answer, cuts);
    }

    private static void Cached(JsonBody body, int offset, int? cachedTokens, List<(int Start, int End, byte[] Instead)> cuts)
    {
        if (body.TryFind("response"u8, out var response) && body.Object("response"u8) is { } inner)
        {
            Cached(inner, offset + response.ValueStart, cachedTokens, cuts);   // the Responses API puts the answer into its last event
            return;
        }
        if (!body.TryFind("usage"u8, out var usageAt) || body.Object("usage"u8) is not { } usage)
        {
            return;
        }
        foreach (var name in (ReadOnlySpan<byte[]>)[Details, InputDetails])
        {
            if (!usage.TryFind(name, out var detailsAt) || usage.Object(name) is not { } details || !details.TryFind("cached_tokens"u8, out var cachedAt))
            {
                continue;
            }
            var start = offset + usageAt.ValueStart + detailsAt.ValueStart;
            // Unknown is null where the API allows it; the Responses API does not.
            int? known = cachedTokens ?? (ReferenceEquals(name, InputDetails) ? 0 : null);
            cuts.Add(known is { } count
                ? (start + cachedAt.ValueStart, start + cachedAt.End, Encoding.UTF8.GetBytes(count.ToString(CultureInfo.InvariantCulture)))
                : (start, start + detailsAt.End - detailsAt.ValueStart, Null));
            return;
        }
    }

    private static LegBody Splice(ReadOnlyMemory<byte> answer, List<(int Start, int End, byte[] Instead)> cuts)
    {
        cuts.Sort((one, other) => one.Start.CompareTo(other.Start));
        var parts = new LegBody();
        var at = 0;
        foreach (var (start, end, instead) in cuts)
        {
            parts.Add(answer[at..start]);
            parts.Add(instead);
            at = end;
        }
        parts.Add(answer[at..]);
        return parts;
    }
}
