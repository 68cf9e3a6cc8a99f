namespace Ferry.Cluster.Planning.Simulation;

/// <summary>What a run counts.</summary>
internal sealed class SimulationCounts(int requests)
{
    public int Refused { get; set; }

    public int Served { get; private set; }

    public int HandedOver { get; set; }

    public long PromptTokens { get; set; }

    public long OutputTokens { get; private set; }

    public double MovedBytes { get; set; }

    public double LastSeconds { get; private set; }

    /// <summary>Prompt tokens by <see cref="SimulationTier"/>.</summary>
    public long[] TierTokens { get; } = new long[5];

    public double[] FirstToken { get; } = new double[requests];

    public double[] PerToken { get; } = new double[requests];

    public double[] EndToEnd { get; } = new double[requests];

    public double[] HandOver { get; } = new double[requests];

    public int HandOverCount { get; private set; }

    public void AddHandOver(double seconds) => HandOver[HandOverCount++] = seconds;

    public void Serve(double now, double arrived, double firstToken, int outputTokens)
    {
        FirstToken[Served] = firstToken - arrived;
        PerToken[Served] = outputTokens > 1 ? (now - firstToken) / (outputTokens - 1) : 0;
        EndToEnd[Served] = now - arrived;
        OutputTokens += outputTokens;
        LastSeconds = now;
        Served++;
    }
}
