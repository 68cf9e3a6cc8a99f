namespace Ferry.Serving;

/// <summary>Where this node takes pushes of KV, as told to the router.</summary>
/// <param name="Host">Of its side channel.</param>
public sealed record KvPushPlace(string EngineId, string Host, int Port);
