using System.Buffers.Binary;
using System.Numerics;

namespace Ferry.Kv.Hashing;

/// <summary>LMCache's <c>builtin</c>: Python's <c>hash((parent, tuple(tokens), …))</c>, a signed 64-bit integer kept here as eight big-endian bytes.</summary>
/// <remarks>Not collision-resistant: whoever chooses tokens can make two prompts meet. Use it to read what a peer wrote, not for new stores.</remarks>
internal sealed class BuiltinChunkHasher : ChunkHasher
{
    private readonly ChainForm _form;
    private readonly long _noneObjectHash;

    /// <param name="root">NONE_HASH of the deployment.</param>
    /// <param name="noneObjectHash"><c>hash(None)</c> there: <see cref="PythonHash.None"/>, or an address before CPython 3.12.</param>
    public BuiltinChunkHasher(string algorithm, ChainForm form, long root, long noneObjectHash = PythonHash.None)
    {
        Algorithm = algorithm;
        _form = form;
        _noneObjectHash = noneObjectHash;
        Root = ToHash(root);
    }

    public override string Algorithm { get; }

    public override ChunkHash Root { get; }

    /// <summary>NONE_HASH of the MP daemon where vLLM is not importable: <c>hash((0, (0,), None))</c>.</summary>
    public static long DaemonRoot(long noneObjectHash = PythonHash.None) =>
        PythonHash.Triple(0, PythonHash.Tokens<int>([0]), noneObjectHash);

    /// <summary>NONE_HASH where vLLM is importable: <c>hash(str(seed))</c>.</summary>
    /// <exception cref="ChunkHashException">The seed is unset or "random": Python's key for text then differs in every process.</exception>
    public static long SeededRoot(string algorithm, string? hashSeed) => HashSeed.Require(algorithm, hashSeed) switch
    {
        "" => 0,
        var text when HashSeed.TryNumber(text) is { } number => PythonHash.Text(text, number),
        _ => throw new ChunkHashException($"{algorithm} cannot be computed for PYTHONHASHSEED=random: every Python process then hashes " +
            "text with a key of its own. Set PYTHONHASHSEED to a number, the same everywhere."),
    };

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<int> tokens) => Chain(parent, tokens);

    public override ChunkHash Next(in ChunkHash parent, ReadOnlySpan<long> tokens) => Chain(parent, tokens);

    private ChunkHash Chain<T>(in ChunkHash parent, ReadOnlySpan<T> tokens) where T : unmanaged, IBinaryInteger<T>
    {
        if (parent.ByteCount != sizeof(long))
        {
            throw new ArgumentException($"The parent of a {Algorithm} hash has {sizeof(long)} bytes, not {parent.ByteCount}.", nameof(parent));
        }
        var parentHash = PythonHash.Integer(BinaryPrimitives.ReadInt64BigEndian(parent.Bytes));
        var tokensHash = PythonHash.Tokens(tokens);
        return ToHash(_form switch
        {
            ChainForm.Pair => PythonHash.Pair(parentHash, tokensHash),
            ChainForm.EmptyTuple => PythonHash.Triple(parentHash, tokensHash, PythonHash.EmptyTuple),
            _ => PythonHash.Triple(parentHash, tokensHash, _noneObjectHash),
        });
    }

    private static ChunkHash ToHash(long value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return new ChunkHash(bytes);
    }
}
