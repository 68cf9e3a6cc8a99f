namespace Ferry.Router.Routes;

/// <summary>The prefill node's 4xx: the client's mistake, said by the server that knows best.</summary>
internal sealed record PrefillRefusal(int Status, string ContentType, ReadOnlyMemory<byte> Body, string? RetryAfter);
