namespace Ferry.Router.Bodies;

/// <summary>Sees failures that come under HTTP 200: an error object, a finish_reason "error".</summary>
/// <remarks>Searches raw bytes: inside a JSON string every quote is escaped, so <c>"finish_reason"</c> with bare quotes is a name and never text.</remarks>
internal static class AnswerFailure
{
    private static ReadOnlySpan<byte> FinishReason => "\"finish_reason\""u8;

    /// <summary>Whether a choice of this answer or event ended as "error".</summary>
    public static bool HasFailedChoice(ReadOnlySpan<byte> json)
    {
        for (var at = json.IndexOf(FinishReason); at >= 0; at = json.IndexOf(FinishReason))
        {
            json = json[(at + FinishReason.Length)..];
            var value = json.TrimStart(" :"u8);
            if (value.Length < json.Length && value.StartsWith("\"error\""u8))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether the data of an event is an error object: vLLM's <c>{"error": …}</c>, or the Responses API's <c>{"type":"error"…</c> and <c>response.failed</c>.</summary>
    public static bool IsErrorEvent(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty || data[0] != (byte)'{')
        {
            return false;
        }
        var first = data[1..].TrimStart(" "u8);
        if (first.StartsWith("\"error\""u8))
        {
            return !first[7..].TrimStart(" :"u8).StartsWith("null"u8);
        }
        if (!first.StartsWith("\"type\""u8))
        {
            return false;
        }
        var type = first[6..].TrimStart(" :"u8);
        return type.StartsWith("\"error\""u8) || type.StartsWith("\"response.failed\""u8);
    }
}
