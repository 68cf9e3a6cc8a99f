using Ferry.Kv.Layout;
using Ferry.TestKit.Conversion;
using Ferry.Transfer;
using Ferry.Transfer.Handover;
using Ferry.Transfer.SharedMemory;

namespace Ferry.TestKit.Transfer;

/// <summary>One rank's blocks in registered memory, full of noise, with sequences that are written and read element by element.</summary>
public sealed class TestPool
{
    // A pool seldom begins where its region does.
    private const int Gap = 192;

    private readonly TestArena _arena;
    private readonly byte[] _before;

    /// <param name="share">Gives so many bytes that other processes can map, or null for memory of this process alone.</param>
    public TestPool(ITransferAgent agent, KvLayout layout, int noiseSeed, Func<int, SharedArena?>? share = null)
    {
        Layout = layout;
        var bytes = checked((int)layout.PayloadBytes + 2 * Gap);
        _arena = new TestArena(agent, bytes, share?.Invoke(bytes)).Fill(noiseSeed);
        _before = _arena.Bytes.ToArray();
        Pool = new KvRankPool(_arena.Region, Gap, layout);
    }

    public KvLayout Layout { get; }

    public KvRankPool Pool { get; }

    public Span<byte> Bytes => _arena.Bytes.Slice(Gap, (int)Layout.PayloadBytes);

    /// <summary>Writes a sequence of which every element is a fixed mix of its place and the seed.</summary>
    public void Write(int seed, ReadOnlySpan<int> blocks, int tokens)
    {
        foreach (var (kv, layer, token, head, d) in KvReference.Elements(Layout with { Tokens = tokens }))
        {
            KvReference.Write(Bytes, Layout.DType.Bytes(), IndexOf(blocks, kv, layer, token, head, d), KvReference.Mix(seed, kv, layer, token, head, d));
        }
    }

    /// <summary>The first difference between what is here and what a hand-over of a sequence must leave, or null.</summary>
    /// <param name="source">Any layout of the side that wrote it: its dtype and scale count.</param>
    /// <param name="firstToken">Tokens before it keep what was there.</param>
    public string? FindDifference(int seed, KvLayout source, ReadOnlySpan<int> blocks, int tokens, int firstToken)
    {
        var expected = _before.AsSpan(Gap, Bytes.Length).ToArray();
        var elementBytes = Layout.DType.Bytes();
        var mask = source.DType.Bytes() == 4 ? uint.MaxValue : (1u << (8 * source.DType.Bytes())) - 1;
        var padded = blocks.Length * Layout.BlockTokens;
        foreach (var (kv, layer, token, head, d) in KvReference.Elements(Layout with { Tokens = padded }))
        {
            if (token >= firstToken)
            {
                var bits = token < tokens ? ReferenceCast.Cast(source, Layout, KvReference.Mix(seed, kv, layer, token, head, d) & mask) : 0;
                KvReference.Write(expected, elementBytes, IndexOf(blocks, kv, layer, token, head, d), bits);
            }
        }
        var at = Bytes.CommonPrefixLength(expected);
        return at < expected.Length ? $"byte {at} of {expected.Length} of '{Layout}' is 0x{Bytes[at]:x2}, not 0x{expected[at]:x2}"
            : !_arena.Bytes[..Gap].SequenceEqual(_before.AsSpan(0, Gap)) || !_arena.Bytes[^Gap..].SequenceEqual(_before.AsSpan(_before.Length - Gap)) ? "bytes beside the pool have changed"
            : null;
    }

    private long IndexOf(ReadOnlySpan<int> blocks, int kv, int layer, int token, int head, int d) =>
        KvReference.Index(Layout, kv, layer, blocks[token / Layout.BlockTokens] * Layout.BlockTokens + token % Layout.BlockTokens, head, d);
}
