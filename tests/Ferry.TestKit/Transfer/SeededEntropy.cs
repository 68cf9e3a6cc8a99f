using Ferry.Transfer;

namespace Ferry.TestKit.Transfer;

/// <summary>Ids and nonces that a seed repeats.</summary>
public sealed class SeededEntropy(int seed) : IEntropy
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);

    public void Fill(Span<byte> destination)
    {
        lock (_gate)
        {
            _random.NextBytes(destination);
        }
    }
}
