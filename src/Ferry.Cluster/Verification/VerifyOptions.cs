namespace Ferry.Cluster.Verification;

/// <summary>How the cluster is reached, and what is looked at.</summary>
public sealed record VerifyOptions
{
    /// <summary>How to get at the processes.</summary>
    public VerifyAccess Access { get; init; } = VerifyAccess.Docker;

    /// <summary>Docker engine of nodes whose <c>docker</c> key names none; null: DOCKER_HOST, else the local socket.</summary>
    public string? Docker { get; init; }

    /// <summary>Context of kubeconfig; null: the current one.</summary>
    public string? KubernetesContext { get; init; }

    /// <summary>Containers whose names are not those that <c>ferry render</c> gives, by the process of the plan.</summary>
    public IReadOnlyDictionary<string, string> Containers { get; init; } = new Dictionary<string, string>();

    /// <summary>Only these probes; empty: all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Not these.</summary>
    public IReadOnlyList<string> Skip { get; init; } = [];

    /// <summary>Router to ask in place of the one that ferry.yaml names.</summary>
    public Uri? Router { get; init; }

    /// <summary>Variable of this process that holds the API key of router and engines; null: none is asked for.</summary>
    public string? ApiKeyVariable { get; init; }

    /// <summary>Gives a variable's value, of those that hold secrets; null where it is not set.</summary>
    public Func<string, string?> Variables { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Every engine is <c>ferry serve</c>, as rendered with <c>--engine ferry</c>.</summary>
    public bool EngineFerry { get; init; }

    /// <summary>Tokens of the prompt that proves a transfer, about.</summary>
    public int ProofTokens { get; init; } = 1024;

    /// <summary>How far back logs are read; null: to the start of each process.</summary>
    public TimeSpan? LogWindow { get; init; }

    /// <summary>Probes that run at once.</summary>
    public int Parallel { get; init; } = 8;
}
