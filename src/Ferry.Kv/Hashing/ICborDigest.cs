namespace Ferry.Kv.Hashing;

/// <summary>What a chain runs over its CBOR: SHA-256 or XXH3-128.</summary>
internal interface ICborDigest
{
    static abstract int DigestBytes { get; }

    static abstract void Hash(ReadOnlySpan<byte> source, Span<byte> destination);
}
