using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;

namespace Ferry.Transfer.Handover;

/// <summary>The blocks of one tensor-parallel rank in registered memory.</summary>
/// <param name="Offset">Of the pool's first byte in the region.</param>
/// <param name="Layout">Of the whole pool: its tokens are those of all blocks.</param>
public sealed record KvRankPool(MemoryRegion Region, long Offset, KvLayout Layout)
{
    /// <summary>What stands in the way of using it; empty for a pool that lies in its region and in blocks.</summary>
    public IReadOnlyList<string> FindErrors()
    {
        var errors = new List<string>(Layout.FindErrors());
        if (errors.Count == 0 && (Layout.BlockTokens == 0 || Layout.Tokens % Layout.BlockTokens != 0))
        {
            errors.Add($"'{Layout}' is no pool: it needs an order with blocks, and tokens that are whole blocks");
        }
        if (errors.Count == 0 && !Region.Contains(Offset, Layout.PayloadBytes))
        {
            errors.Add($"[{Offset}, +{Layout.PayloadBytes}) lies outside region {Region.Id} of {Region.Bytes} bytes");
        }
        if (!Region.IsHost)
        {
            errors.Add($"region {Region.Id} is {Region.MemoryType} memory, and layouts are converted by the CPU: stage KV in host memory (kv_buffer_device=cpu)");
        }
        return errors;
    }

    /// <summary>The caller holds a use of the region.</summary>
    internal PagedKv Of(ReadOnlyMemory<int> blocks) => new(Region.Address + (nint)Offset, Layout.PayloadBytes, blocks);
}
