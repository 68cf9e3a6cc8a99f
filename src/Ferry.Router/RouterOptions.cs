using Ferry.Router.Forwarding;

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

    /// <summary>Bounds and rules of the two legs.</summary>
    public ForwardingOptions Forwarding { get; init; } = new();

    /// <summary>Where spans go by OTLP over HTTP; null: nowhere.</summary>
    public Uri? OtlpEndpoint { get; init; }

    public TimeSpan HealthTimeout { get; init; } = TimeSpan.FromSeconds(2);
}
