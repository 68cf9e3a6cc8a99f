using System.Security.Cryptography;

namespace Ferry.Transfer;

/// <summary>The operating system's generator. Ids must not be guessable: a lease id is what lets a peer read.</summary>
public sealed class SystemEntropy : IEntropy
{
    public static SystemEntropy Instance { get; } = new();

    public void Fill(Span<byte> destination) => RandomNumberGenerator.Fill(destination);
}
