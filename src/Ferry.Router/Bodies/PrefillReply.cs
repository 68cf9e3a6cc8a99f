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
}
