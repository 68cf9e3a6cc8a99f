using System.Buffers.Text;

namespace Ferry.Router.Bodies;

/// <summary>What the prefill node answered.</summary>
public static class PrefillReply
{
    /// <summary>The raw <c>kv_transfer_params</c>; empty when missing, null or an empty object, which all mean "no transfer".</summary>
    public static ReadOnlyMemory<byte> TransferParams(ReadOnlyMemory<byte> reply)
    {
        try
        {
            var parameters = JsonBody.Parse(reply).Value("kv_transfer_params");
            return parameters.Length > 2 && parameters.Span[0] == (byte)'{' ? parameters : default;
        }
        catch (RouterException)
        {
            return default;   // a reply that is no JSON carries no parameters; the decode node computes
        }
    }

    /// <summary>Prompt tokens that the prefill node did not have to compute; null when it does not say.</summary>
    public static int? CachedTokens(ReadOnlyMemory<byte> reply)
    {
        try
        {
            var raw = JsonBody.Parse(reply).Value("usage");
            var details = raw.IsEmpty ? default : JsonBody.Parse(raw).Value("prompt_tokens_details");
            var cached = details.Length > 2 ? JsonBody.Parse(details).Value("cached_tokens") : default;
            return Utf8Parser.TryParse(cached.Span, out int count, out _) ? count : null;
        }
        catch (RouterException)
        {
            return null;   // "usage": null, or no JSON at all
        }
    }
}
