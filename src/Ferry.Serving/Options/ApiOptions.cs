namespace Ferry.Serving.Options;

/// <summary>Keys and bounds of the HTTP surface.</summary>
public sealed record ApiOptions
{
    /// <summary>Any of them opens /v1; none: open to all.</summary>
    public IReadOnlyList<string> ApiKeys { get; init; } = [];

    /// <summary>Longest request body.</summary>
    public long MaxBodyBytes { get; init; } = 32L << 20;

    /// <summary>Deepest nesting of a JSON body.</summary>
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>Most alternatives that a request may ask for.</summary>
    public int MaxLogprobs { get; init; } = 20;

    /// <summary>Most prompts of one request.</summary>
    public int MaxPrompts { get; init; } = 1024;

    /// <summary>Most choices of one prompt.</summary>
    public int MaxChoices { get; init; } = 128;

    /// <summary>Usage at the end of every stream, asked for or not.</summary>
    public bool ForceIncludeUsage { get; init; }

    public string ResponseRole { get; init; } = "assistant";

    /// <summary>Longest wait until a slow client takes one piece of a stream; then the request is aborted.</summary>
    public TimeSpan WriteDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Open connections.</summary>
    public int MaxConnections { get; init; } = 16_384;
}
