namespace Ferry.Router.Bodies;

/// <summary>The body of the second leg: the client's own, and what the prefill node returned, unread.</summary>
public static class DecodeLeg
{
    /// <param name="transferParams">The prefill node's <c>kv_transfer_params</c> as bytes; empty for a request that the decode node does alone.</param>
    /// <param name="prompt">Raw value that replaces the prompt, or empty to keep it.</param>
    /// <remarks>A client's own kv_transfer_params never pass: the engine would dial the address in them.</remarks>
    public static byte[] Build(JsonBody body, ReadOnlyMemory<byte> transferParams, ReadOnlyMemory<byte> prompt = default)
    {
        var adds = new List<(string, ReadOnlyMemory<byte>)>(2);
        if (!prompt.IsEmpty)
        {
            adds.Add(("prompt", prompt));
        }
        if (!transferParams.IsEmpty)
        {
            adds.Add(("kv_transfer_params", transferParams));
        }
        return body.With(name => name == "kv_transfer_params", [.. adds]);
    }
}
