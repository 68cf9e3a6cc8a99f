namespace Ferry.Router;

/// <summary>What a router was asked to do. Immutable; see <see cref="RouterOptionsValidator"/>.</summary>
public sealed record RouterOptions
{
    public required IReadOnlyList<Uri> Prefill { get; init; }

    public required IReadOnlyList<Uri> Decode { get; init; }

    public string Host { get; init; } = "0.0.0.0";

    /// <summary>0: any free port.</summary>
    public int Port { get; init; } = 9000;

    /// <summary>How a node is chosen; see <see cref="Policies.NodePolicies"/>.</summary>
    public string Policy { get; init; } = "round-robin";

    /// <summary>Requests in both legs together; one more is answered 429.</summary>
    public int MaxInFlight { get; init; } = 4096;

    public long MaxBodyBytes { get; init; } = 64L << 20;

    /// <summary>Longest reply of a prefill leg; its kv_transfer_params list one number a block.</summary>
    public int MaxPrefillReplyBytes { get; init; } = 16 << 20;

    /// <summary>Most prompts of one request that get a pair of legs each; more go to the decode node as they are.</summary>
    public int MaxFanOut { get; init; } = 256;

    /// <summary>Pairs of legs of one request at a time.</summary>
    public int FanOutConcurrency { get; init; } = 8;

    /// <summary>Prefill nodes tried before the decode node gets the whole work.</summary>
    public int PrefillAttempts { get; init; } = 2;

    /// <summary>Longest prefill leg.</summary>
    public TimeSpan PrefillTimeout { get; init; } = TimeSpan.FromMinutes(5);

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
