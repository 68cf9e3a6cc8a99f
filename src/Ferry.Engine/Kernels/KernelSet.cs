using Ferry.Kv.Layout;

namespace Ferry.Engine.Kernels;

/// <summary>All that the decoder computes on rows and tiles, for one width of registers. Stateless; every width gives the same bits.</summary>
/// <remarks>The caller owns all memory that the pointers name and keeps it alive during the call. Counts are of floats.</remarks>
internal abstract unsafe class KernelSet
{
    public static KernelSet For(VectorWidth width) => width switch
    {
        VectorWidth.Vector512 => new KernelSet<Lanes512, Tile512>(),
        VectorWidth.Vector256 => new KernelSet<Lanes256, Tile256>(),
        _ => new KernelSet<LanesScalar, TileScalar>(),
    };

    /// <inheritdoc cref="ITile.Run"/>
    public abstract void Tile(
        WeightFormat format, int rows, float* a, nint aStride, byte* panel, float* c, nint cStride, int depth, bool add);

    /// <summary><c>y = x / sqrt(mean(x²) + epsilon) * weight</c>; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public abstract void RmsNorm(float* x, float* weight, float* y, int count, float epsilon);

    /// <summary><c>y = gate / (1 + exp(-gate)) * up</c>; <paramref name="y"/> may be <paramref name="gate"/>.</summary>
    public abstract void SwiGlu(float* gate, float* up, float* y, int count);

    /// <summary>Rotates the pairs (i, i + half) of one head in place: the rotate-half form of Hugging Face weights.</summary>
    public abstract void Rotate(float* head, float* cos, float* sin, int half);

    /// <summary><c>y += x</c>.</summary>
    public abstract void Add(float* y, float* x, int count);

    /// <summary><c>y = x * factor</c>.</summary>
    public abstract void Scale(float* y, float* x, float factor, int count);

    /// <summary>Rounds numbers to the pool's type and stores them.</summary>
    public abstract void StoreKv(KvDType dtype, float* source, byte* destination, int count);

    /// <summary>Widens numbers of the pool's type.</summary>
    public abstract void LoadKv(KvDType dtype, byte* source, float* destination, int count);

    /// <summary>Brings up to sixteen key vectors, widened, into the columns of a panel: <c>columns[d * 32 + key]</c>; keys past <paramref name="count"/> are 0.</summary>
    /// <param name="vectors">Address of each vector in the pool.</param>
    /// <param name="count">0 to 16.</param>
    public abstract void UnpackKeys(KvDType dtype, byte** vectors, int count, int headDim, float* columns);

    /// <summary>Brings up to sixteen value vectors, widened, into panels of 32 dims: <c>rows[d / 32 * panelStride + key * 32 + d % 32]</c>, the last panel filled up with zeros.</summary>
    public abstract void UnpackValues(KvDType dtype, byte** vectors, int count, int headDim, float* rows, nint panelStride);

    /// <summary>One step of a softmax that is taken tile by tile.</summary>
    /// <param name="scores">In: scores, -infinity where masked; out: exp(score - new max).</param>
    /// <param name="count">A multiple of 16.</param>
    /// <param name="max">The greatest score so far; -infinity before the first tile.</param>
    /// <param name="sum">The sum of weights so far, relative to <paramref name="max"/>.</param>
    /// <returns>What earlier weights are to be multiplied with: exp(old max - new max).</returns>
    public abstract float SoftmaxTile(float* scores, int count, ref float max, ref float sum);
}
