using System.Runtime.InteropServices;
using Ferry.Kv.Layout;

namespace Ferry.TestKit.Conversion;

/// <summary>Conversion as its definition says it, element by element: what every plan must equal bit for bit.</summary>
public static class KvReference
{
    public static byte[] Convert(IReadOnlyList<KvLayout> layouts, IReadOnlyList<byte[]> payloads, KvLayout target)
    {
        var result = new byte[target.PayloadBytes];
        foreach (var (kv, layer, token, head, d) in Elements(target))
        {
            var from = Enumerable.Range(0, layouts.Count).First(i => head >= layouts[i].FirstHead && head < layouts[i].FirstHead + layouts[i].Heads);
            var bits = Read(payloads[from], layouts[from].DType.Bytes(), Index(layouts[from], kv, layer, token, head, d));
            Write(result, target.DType.Bytes(), Index(target, kv, layer, token, head, d), ReferenceCast.Cast(layouts[from], target, bits));
        }
        return result;
    }

    /// <summary>The shards of one tensor, so that replicas agree: each element is a fixed mix of its coordinates and the seed.</summary>
    public static byte[] Fill(KvLayout layout, int seed)
    {
        var payload = new byte[layout.PayloadBytes];
        foreach (var (kv, layer, token, head, d) in Elements(layout))
        {
            Write(payload, layout.DType.Bytes(), Index(layout, kv, layer, token, head, d), Mix(seed, kv, layer, token, head, d));
        }
        return payload;
    }

    /// <summary>Index of an element, straight from the axes that <see cref="KvLayout"/> documents.</summary>
    public static long Index(KvLayout layout, int kv, int layer, int token, int head, int d)
    {
        long layers = layout.Layers, tokens = layout.Tokens, heads = layout.Heads, dim = layout.HeadDim, n = layout.BlockTokens, h = head - layout.FirstHead;
        if (layout.Order == KvOrder.TwoLtd) { return (((kv * layers + layer) * tokens + token) * heads + h) * dim + d; }
        if (layout.Order == KvOrder.T2d) { return (((layer * tokens + token) * 2 + kv) * heads + h) * dim + d; }
        long blocks = (tokens + n - 1) / n, block = token / n, s = token % n;
        var cell = layout.Order == KvOrder.Nhd ? s * heads + h : h * n + s;
        var layerAndBlock = layout.BlockMajor ? block * layers + layer : layer * blocks + block;
        return layout.Packing switch
        {
            KvPacking.Interleaved => ((layerAndBlock * n * heads + cell) * 2 + kv) * dim + d,
            KvPacking.Halves => ((layerAndBlock * 2 + kv) * n * heads + cell) * dim + d,
            _ => (((layer * 2L + kv) * blocks + block) * n * heads + cell) * dim + d,
        };
    }

    public static uint Read(ReadOnlySpan<byte> bytes, int elementBytes, long index) => elementBytes switch
    {
        1 => bytes[(int)index],
        2 => MemoryMarshal.Cast<byte, ushort>(bytes)[(int)index],
        _ => MemoryMarshal.Cast<byte, uint>(bytes)[(int)index],
    };

    public static void Write(Span<byte> bytes, int elementBytes, long index, uint bits)
    {
        if (elementBytes == 1) { bytes[(int)index] = (byte)bits; }
        else if (elementBytes == 2) { MemoryMarshal.Cast<byte, ushort>(bytes)[(int)index] = (ushort)bits; }
        else { MemoryMarshal.Cast<byte, uint>(bytes)[(int)index] = bits; }
    }

    public static IEnumerable<(int Kv, int Layer, int Token, int Head, int D)> Elements(KvLayout layout)
    {
        for (var kv = 0; kv < 2; kv++)
        {
            for (var layer = 0; layer < layout.Layers; layer++)
            {
                for (var token = 0; token < layout.Tokens; token++)
                {
                    for (var head = layout.FirstHead; head < layout.FirstHead + layout.Heads; head++)
                    {
                        for (var d = 0; d < layout.HeadDim; d++) { yield return (kv, layer, token, head, d); }
                    }
                }
            }
        }
    }

    public static uint Mix(int seed, int kv, int layer, int token, int head, int d)
    {
        var mixed = ((ulong)(uint)seed << 32) ^ (((ulong)kv * 64 + (ulong)layer) * 4096 + (ulong)token) * 1048576 + (ulong)head * 4096 + (ulong)d;
        mixed = (mixed ^ (mixed >> 31)) * 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9;
        return (uint)(mixed >> 32);
    }
}
