namespace Ferry.Cluster.Planning.Simulation;

/// <summary>What a simulation remembers of each request: arrays by request, so that a run allocates nothing a request.</summary>
internal sealed class RequestStates(int count)
{
    public double[] Arrived { get; } = new double[count];

    public double[] Prefilled { get; } = new double[count];

    public double[] FirstToken { get; } = new double[count];

    public short[] DecodeNode { get; } = new short[count];

    /// <summary>Directions of the network that still carry its KV: sender's and receiver's.</summary>
    public byte[] Directions { get; } = new byte[count];
}
