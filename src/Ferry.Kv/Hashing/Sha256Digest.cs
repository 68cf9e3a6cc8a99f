using System.Security.Cryptography;

namespace Ferry.Kv.Hashing;

/// <summary>SHA-256 as the platform has it: OpenSSL, which uses the processor's SHA instructions.</summary>
internal readonly struct Sha256Digest : ICborDigest
{
    public static int DigestBytes => SHA256.HashSizeInBytes;

    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination) => SHA256.HashData(source, destination);
}
