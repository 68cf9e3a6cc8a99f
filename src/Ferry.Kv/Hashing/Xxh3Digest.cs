using System.IO.Hashing;

namespace Ferry.Kv.Hashing;

/// <summary>XXH3-128 in its canonical (big-endian) form, which is what Python's <c>xxh3_128_digest</c> returns.</summary>
internal readonly struct Xxh3Digest : ICborDigest
{
    public static int DigestBytes => 16;

    public static void Hash(ReadOnlySpan<byte> source, Span<byte> destination) => XxHash128.Hash(source, destination);
}
