namespace Ferry.Kv.Layout;

/// <summary>Everything that gives the bytes of one KV shard a meaning.</summary>
/// <remarks>
/// Row-major. Axes, outermost first:
/// <list type="bullet">
/// <item><see cref="KvOrder.TwoLtd"/>: <c>[2, layers, tokens, heads, headDim]</c>; <see cref="KvOrder.T2d"/>: <c>[layers, tokens, 2, heads, headDim]</c>.</item>
/// <item>In blocks (NHD, HND), by packing: Split <c>[layers, 2, blocks, block]</c>, Halves <c>[layers, blocks, 2, block]</c> where block is
/// <c>[tokens, heads, headDim]</c> (NHD) or <c>[heads, tokens, headDim]</c> (HND); Interleaved <c>[layers, blocks, tokens, heads, 2, headDim]</c>
/// (NHD) or <c>[layers, blocks, heads, tokens, 2, headDim]</c> (HND). With <see cref="BlockMajor"/> the blocks axis comes before the layers axis.</item>
/// <item><see cref="KvOrder.Opaque"/>: <see cref="OpaqueBytes"/> bytes that mean something to their owner alone.</item>
/// </list>
/// A partial last block is stored whole, its unused tokens zero. Compare layouts, never sizes: many layouts share one
/// <see cref="PayloadBytes"/>, so a mix-up passes every length check and silently corrupts the cache. What one axis makes
/// meaningless has one fixed value (<see cref="FindErrors"/>), so that equal bytes have equal layouts.
/// </remarks>
public sealed record KvLayout
{
    // The limits are several times what any published model has, and keep PayloadBytes of a valid layout below 2^62.
    public const int MaxLayers = 1024;
    public const int MaxHeads = 4096;
    public const int MaxHeadDim = 4096;
    public const int MaxTokens = 1 << 24;
    public const int MaxBlockTokens = 1 << 16;
    public const long MaxOpaqueBytes = 1L << 40;

    private static volatile KvLayout? _lastOpaque;

    /// <summary>Layers of the model.</summary>
    public required int Layers { get; init; }

    /// <summary>KV heads of the whole model.</summary>
    public required int ModelHeads { get; init; }

    /// <summary>First KV head of this shard, 0-based in the whole model.</summary>
    public required int FirstHead { get; init; }

    /// <summary>KV heads of this shard.</summary>
    public required int Heads { get; init; }

    public required int HeadDim { get; init; }

    /// <summary>Tokens that carry meaning.</summary>
    public required int Tokens { get; init; }

    /// <summary>Tokens of one block; 0 for the orders that have no blocks.</summary>
    public required int BlockTokens { get; init; }

    public required KvDType DType { get; init; }

    public required KvOrder Order { get; init; }

    /// <summary>Where K and V lie in the orders that have blocks; <see cref="KvPacking.Split"/> for the others, whose order alone says it.</summary>
    public required KvPacking Packing { get; init; }

    /// <summary>True when the blocks axis is outermost (one contiguous piece a block, all layers in it).</summary>
    public bool BlockMajor { get; init; }

    /// <summary>What a stored number is multiplied with to give the value; 1 except for fp8.</summary>
    public float Scale { get; init; } = 1f;

    /// <summary>Bytes of an opaque payload; 0 for every other order, whose axes say it.</summary>
    public long OpaqueBytes { get; init; }

    public bool IsOpaque => Order == KvOrder.Opaque;

    /// <summary>Tokens that the payload has room for: <see cref="Tokens"/>, rounded up to whole blocks.</summary>
    public int PayloadTokens => BlockTokens == 0 ? Tokens : (Tokens + BlockTokens - 1) / BlockTokens * BlockTokens;

    /// <summary>Bytes of the shard: K and V, all layers, whole blocks.</summary>
    public long PayloadBytes => IsOpaque ? OpaqueBytes : 2L * Layers * PayloadTokens * Heads * HeadDim * DType.Bytes();

    /// <summary>The layout of <paramref name="bytes"/> bytes without known axes: no conversion has a plan from or to it. Its other fields have these values and no meaning.</summary>
    public static KvLayout Opaque(long bytes)
    {
        // Clients store values of one length: the layout of the last is made once, and compared by reference.
        if (_lastOpaque is not { } last || last.OpaqueBytes != bytes)
        {
            _lastOpaque = last = NewOpaque(bytes);
        }
        return last;
    }

    private static KvLayout NewOpaque(long bytes) => new()
    {
        Layers = 1,
        ModelHeads = 1,
        FirstHead = 0,
        Heads = 1,
        HeadDim = 1,
        Tokens = 1,
        BlockTokens = 0,
        DType = KvDType.Float32,
        Order = KvOrder.Opaque,
        Packing = KvPacking.Split,
        OpaqueBytes = bytes,
    };

    /// <summary>This layout for one tensor-parallel rank: its equal share of the model's heads, whatever heads this layout has.</summary>
    /// <remarks>With more ranks than heads each head is replicated: rank r holds head r * heads / ranks, as vLLM does.</remarks>
    /// <exception cref="KvLayoutException">Neither number divides the other, or there is no such rank.</exception>
    public KvLayout ForRank(int rank, int tensorParallelSize)
    {
        if (tensorParallelSize < 1 || rank < 0 || rank >= tensorParallelSize)
        {
            throw new KvLayoutException("No such tensor-parallel rank", [$"rank={rank} must lie in 0..{tensorParallelSize - 1} (tensor_parallel_size={tensorParallelSize})"]);
        }
        if (ModelHeads % tensorParallelSize == 0)
        {
            var heads = ModelHeads / tensorParallelSize;
            return this with { FirstHead = rank * heads, Heads = heads };
        }
        if (tensorParallelSize % ModelHeads == 0)
        {
            return this with { FirstHead = rank / (tensorParallelSize / ModelHeads), Heads = 1 };
        }
        throw new KvLayoutException("The KV heads cannot be dealt out to the ranks evenly", [
            $"{ModelHeads} KV heads over tensor_parallel_size={tensorParallelSize}: one must divide the other"]);
    }

    /// <summary>Every contradiction in this layout, each naming its field, value and limit; empty for a layout that means something.</summary>
    public IReadOnlyList<string> FindErrors()
    {
        var errors = new List<string>();
        if (IsOpaque)
        {
            FindOpaqueErrors(errors);
            return errors;
        }
        if (OpaqueBytes != 0) { errors.Add($"bytes={OpaqueBytes} must be 0 for order={Order.Name()}, whose axes give the size"); }
        Bound(errors, "layers", Layers, 1, MaxLayers);
        Bound(errors, "model heads", ModelHeads, 1, MaxHeads);
        Bound(errors, "heads", Heads, 1, MaxHeads);
        Bound(errors, "head_dim", HeadDim, 1, MaxHeadDim);
        Bound(errors, "tokens", Tokens, 1, MaxTokens);
        if (FirstHead < 0 || (long)FirstHead + Heads > ModelHeads)
        {
            errors.Add($"heads={FirstHead}..{(long)FirstHead + Heads}/{ModelHeads} reaches outside the model's heads");
        }
        if (!Enum.IsDefined(DType)) { errors.Add($"dtype={(int)DType} is not a KV element type"); }
        if (!Enum.IsDefined(Packing)) { errors.Add($"packing={(int)Packing} is not a packing"); }
        if (Order is KvOrder.Nhd or KvOrder.Hnd) { FindBlockErrors(errors); }
        else if (Order is KvOrder.TwoLtd or KvOrder.T2d) { FindUnblockedErrors(errors); }
        else { errors.Add($"order={(int)Order} is not an axis order"); }
        if (!(float.IsNormal(Scale) && Scale > 0)) { errors.Add($"scale={Scale} must be a positive normal number"); }
        else if (DType is KvDType.Float32 or KvDType.Float16 or KvDType.BFloat16 && Scale != 1f)
        {
            errors.Add($"scale={Scale} must be 1 for dtype={DType.Name()}: only fp8 is scaled");
        }
        return errors;
    }

    /// <summary>Returns this layout if it means something.</summary>
    /// <exception cref="KvLayoutException">It contradicts itself; all contradictions are listed at once.</exception>
    public KvLayout Validate() =>
        FindErrors() is { Count: > 0 } errors ? throw new KvLayoutException("Not a KV layout", errors) : this;

    /// <summary>The axes in which two layouts differ, as <c>name: left vs right</c>; empty exactly when they are equal.</summary>
    public static IReadOnlyList<string> Diff(KvLayout left, KvLayout right) => KvLayoutText.Diff(left, right);

    /// <summary>All axes as <c>name=value</c> in a fixed order; <see cref="Parse"/> reads it back.</summary>
    public override string ToString() => KvLayoutText.Format(this);

    /// <exception cref="FormatException">Says which name or value is not understood, with the nearest known one.</exception>
    /// <exception cref="KvLayoutException">The text is well formed, but the layout contradicts itself.</exception>
    public static KvLayout Parse(string text) =>
        KvLayoutText.TryParse(text, out var layout, out var error) ? layout.Validate() : throw new FormatException(error);

    private void FindOpaqueErrors(List<string> errors)
    {
        if (OpaqueBytes is < 0 or > MaxOpaqueBytes) { errors.Add($"bytes={OpaqueBytes} must lie in 0..{MaxOpaqueBytes}"); }
        if (this != Opaque(OpaqueBytes)) { errors.Add("order=opaque has no other axes: say order=opaque and bytes only"); }
    }

    private void FindBlockErrors(List<string> errors)
    {
        Bound(errors, "block", BlockTokens, 1, MaxBlockTokens);
        if (BlockMajor && Packing == KvPacking.Split)
        {
            errors.Add("block_major=true contradicts packing=split, which keeps K blocks and V blocks apart: say packing=halves");
        }
    }

    private void FindUnblockedErrors(List<string> errors)
    {
        if (BlockTokens != 0) { errors.Add($"block={BlockTokens} must be 0 for order={Order.Name()}, which has no blocks"); }
        if (BlockMajor) { errors.Add($"block_major=true needs an order with blocks (nhd or hnd), not {Order.Name()}"); }
        if (Enum.IsDefined(Packing) && Packing != KvPacking.Split)
        {
            errors.Add($"packing={Packing.Name()} must be split for order={Order.Name()}, whose order alone says where K and V lie");
        }
    }

    private static void Bound(List<string> errors, string name, int value, int min, int max)
    {
        if (value < min || value > max) { errors.Add($"{name}={value} must lie in {min}..{max}"); }
    }
}
