using System.Buffers;
using System.Numerics;

namespace Ferry.Kv.Hashing;

/// <summary>Digest of the CBOR of <c>(parent bytes, [tokens], …)</c>; the root is the digest of the seed as CBOR text.</summary>
/// <remarks>Immutable; any thread may hash. A chunk of up to <see cref="StackTokens"/> tokens allocates nothing.</remarks>
internal sealed class CborChunkHasher<TDigest> : ChunkHasher where TDigest : struct, ICborDigest
{
    /// <summary>512 ids of five bytes stay well under a stack page; the usual chunk has 256.</summary>
    private const int StackTokens = 512;

    private readonly ChainForm _form;

    public CborChunkHasher(string algorithm, ChainForm form, string hashSeed)
    {
        Algorithm = algorithm;
        _form = form;
        Root = HashText(hashSeed);
    }

    public override string Algorithm { get; }

    public override ChunkHash Root { get; }

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens) => Chain(parent, tokens);

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<long> tokens) => Chain(parent, tokens);

    /// <summary>The root that a seed gives: the digest of the seed as CBOR text.</summary>
    internal static ChunkHash HashText(string hashSeed)
    {
        Span<byte> cbor = stackalloc byte[Cbor.HeadBytes + 4 * HashSeed.MaxCharacters];
        Span<byte> digest = stackalloc byte[TDigest.DigestBytes];
        TDigest.Hash(cbor[..Cbor.WriteText(cbor, hashSeed)], digest);
        return new ChunkHash(digest);
    }

    private ChunkHash Chain<T>(in ChunkHash parent, ReadOnlySpan<T> tokens) where T : unmanaged, IBinaryInteger<T>
    {
        var cborBytes = 1 + Cbor.HeadBytes + ChunkHash.MaxBytes + Cbor.TokenBytes<T>(tokens.Length) + 1;
        byte[]? rented = null;
        var cbor = cborBytes <= StackTokens * 5
            ? stackalloc byte[StackTokens * 5]
            : rented = ArrayPool<byte>.Shared.Rent(cborBytes);
        Span<byte> digest = stackalloc byte[TDigest.DigestBytes];

        var at = Cbor.WriteArrayHead(cbor, _form == ChainForm.Pair ? 2 : 3);
        at += Cbor.WriteBytes(cbor[at..], parent.Bytes);
        at += Cbor.WriteTokens(cbor[at..], tokens);
        switch (_form)
        {
            case ChainForm.EmptyTuple:
                at += Cbor.WriteArrayHead(cbor[at..], 0);
                break;
            case ChainForm.Null:
                cbor[at++] = Cbor.Null;
                break;
        }
        TDigest.Hash(cbor[..at], digest);

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
        return new ChunkHash(digest);
    }
}
