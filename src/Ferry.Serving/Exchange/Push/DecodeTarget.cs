namespace Ferry.Serving.Exchange.Push;

/// <summary>The decode node that a request's KV is meant for, as the router names it to the prefill node.</summary>
/// <param name="Host">Of its side channel.</param>
internal sealed record DecodeTarget(string EngineId, string Host, int Port)
{
    public string Endpoint => HandoverParams.EndpointOf(Host, Port);
}
