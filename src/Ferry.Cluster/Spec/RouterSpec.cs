namespace Ferry.Cluster.Spec;

/// <summary>The router.</summary>
public sealed record RouterSpec
{
    [SpecKey("address", "Host name or IP of the machine that runs it; a Service in Kubernetes.", Pattern = SpecText.HostPattern, PatternText = SpecText.HostText, DefaultText = "that of the first node")]
    public string? Address { get; init; }

    [SpecKey("port", "Port that clients use.", Minimum = 1, Maximum = 65_535)]
    public int Port { get; init; } = 9000;

    [SpecKey("adminPort", "Port of its state and its commands, on loopback.", Minimum = 1, Maximum = 65_535)]
    public int AdminPort { get; init; } = 9001;

    [SpecKey("policy", "How a node is chosen.")]
    public RouterPolicy Policy { get; init; } = RouterPolicy.PrefixAware;

    [SpecKey("minPromptTokens", "Shorter prompts are computed where they are decoded.", Minimum = 0, Maximum = 100_000_000)]
    public int MinPromptTokens { get; init; }

    [SpecKey("replicas", "Routers, in Kubernetes.", Minimum = 1, Maximum = 64)]
    public int Replicas { get; init; } = 1;

    [SpecKey("apiKeys", "File of hashed API keys; left out, nobody is asked for one.")]
    public SecretSpec? ApiKeys { get; init; }
}
