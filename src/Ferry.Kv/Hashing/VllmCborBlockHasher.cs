using System.Buffers;

namespace Ferry.Kv.Hashing;

/// <summary>Digest of the CBOR of <c>(parent bytes, [tokens], extra keys or null)</c>.</summary>
internal sealed class VllmCborBlockHasher<TDigest> : VllmBlockHasher where TDigest : struct, ICborDigest
{
    private readonly CborChunkHasher<TDigest> _plain;

    public VllmCborBlockHasher(string algorithm, string hashSeed) => _plain = new(algorithm, ChainForm.Null, hashSeed);

    public override string Algorithm => _plain.Algorithm;

    public override ChunkHash Root => _plain.Root;

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens) => _plain.Next(parent, tokens);

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<long> tokens) => _plain.Next(parent, tokens);

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens, BlockExtraKeys extraKeys, int start)
    {
        ArgumentNullException.ThrowIfNull(extraKeys);
        if (ReferenceEquals(extraKeys, BlockExtraKeys.None))
        {
            return _plain.Next(parent, tokens);
        }
        var cbor = ArrayPool<byte>.Shared.Rent(
            checked(1 + Cbor.HeadBytes + ChunkHash.MaxBytes + Cbor.TokenBytes<int>(tokens.Length) + extraKeys.MaxBytes));
        try
        {
            var at = Cbor.WriteArrayHead(cbor, 3);
            at += Cbor.WriteBytes(cbor.AsSpan(at), parent.Bytes);
            at += Cbor.WriteTokens(cbor.AsSpan(at), tokens);
            at += extraKeys.Write(cbor.AsSpan(at), start, checked(start + tokens.Length));
            Span<byte> digest = stackalloc byte[TDigest.DigestBytes];
            TDigest.Hash(cbor.AsSpan(0, at), digest);
            return new ChunkHash(digest);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(cbor);
        }
    }
}
