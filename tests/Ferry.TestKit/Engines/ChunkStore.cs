using System.Runtime.InteropServices;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Engines;

/// <summary>A store of chunks in memory that engines of any shape share: what one saved another loads, converted on the way.</summary>
public sealed class ChunkStore
{
    private readonly Dictionary<string, StoredChunk> _chunks = [];

    internal sealed record StoredChunk(IReadOnlyList<KvLayout> Layouts, IReadOnlyList<byte[]> Payloads);

    public int Count
    {
        get { lock (_chunks) { return _chunks.Count; } }
    }

    internal void Put(string salt, ReadOnlySpan<int> tokens, StoredChunk chunk)
    {
        lock (_chunks) { _chunks[Key(salt, tokens)] = chunk; }
    }

    internal StoredChunk? Get(string salt, ReadOnlySpan<int> tokens)
    {
        lock (_chunks) { return _chunks.GetValueOrDefault(Key(salt, tokens)); }
    }

    /// <summary>All tokens up to the chunk's end name it, as a chained hash would.</summary>
    private static string Key(string salt, ReadOnlySpan<int> tokens) => $"{salt}/{Convert.ToHexString(MemoryMarshal.AsBytes(tokens))}";
}
