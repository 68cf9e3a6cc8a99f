using System.Runtime.Intrinsics.X86;
using Ferry.Engine.KvCache;
using Ferry.Kv.Layout;

namespace Ferry.Engine.Kernels;

/// <summary>Causal attention of a pass's queries over K and V in the pool.</summary>
/// <remarks>
/// Keys are taken in tiles of 256 counted from position 0 of the sequence, whatever the blocks are: scores of a tile, softmax
/// step, weighted sum of V in order of position. A query passes the same tiles in the same order however its prompt was cut
/// and whatever runs beside it, and a key that it must not see weighs exactly 0, so its result is always the same bits.
/// One task is one KV head and a run of query rows (tokens times the query heads that share the KV head).
/// </remarks>
internal sealed unsafe class PagedAttention : IDisposable
{
    private const int TileKeys = 256;
    private const int PanelKeys = PackedMatrix.PanelOutputs;

    // Rows of queries that share one unpacking of K and V; at 192 the unpacking costs a few percent of the products.
    private const int TaskRows = 192;

    // Rows whose scores are held at once: one register tile, so that the scores stay in the first-level cache.
    private const int ScoreRows = 12;

    private readonly PagedKvPool _pool;
    private readonly KernelSet _kernels;
    private readonly WorkerPool _workers;
    private readonly int _group;
    private readonly int _paddedDim;
    private readonly NativeBuffer[] _scratch;
    private readonly List<(RowSpan Span, int FirstToken, int TokenCount, int Head)> _tasks = [];
    private readonly Action<int, int> _body;

    private int _layer;
    private float* _queries;
    private nint _queryStride;
    private float* _output;
    private nint _outputStride;

    /// <param name="queryHeads">Query heads of the model; a multiple of the pool's heads.</param>
    public PagedAttention(PagedKvPool pool, int queryHeads, KernelSet kernels, WorkerPool workers)
    {
        _pool = pool;
        _kernels = kernels;
        _workers = workers;
        _group = queryHeads / pool.Heads;
        _paddedDim = (pool.HeadDim + PanelKeys - 1) / PanelKeys * PanelKeys;
        _body = RunTask;
        int rows = Math.Max(TaskRows, _group);
        long floats = Scratch.Floats(rows, pool.HeadDim, _paddedDim);
        _scratch = new NativeBuffer[workers.WorkerCount];
        for (int worker = 0; worker < _scratch.Length; worker++)
        {
            _scratch[worker] = new NativeBuffer(floats * sizeof(float));
        }
    }

    /// <summary>Bytes of all workers' scratch memory.</summary>
    public long ScratchBytes => _scratch.Sum(buffer => buffer.ByteCount);

    /// <summary>Cuts the spans of a pass into tasks; they serve every layer of it.</summary>
    public void Plan(IReadOnlyList<RowSpan> spans)
    {
        _tasks.Clear();
        int tokens = Math.Max(1, TaskRows / _group);
        foreach (var span in spans)
        {
            for (int first = 0; first < span.RowCount; first += tokens)
            {
                for (int head = 0; head < _pool.Heads; head++)
                {
                    _tasks.Add((span, first, Math.Min(tokens, span.RowCount - first), head));
                }
            }
        }
        // The longest first, so that no worker is left with one at the end.
        _tasks.Sort((a, b) => Cost(b).CompareTo(Cost(a)));
    }

    /// <summary>Attends with rotated queries; K and V of all tokens of the pass are in the pool already.</summary>
    /// <param name="queries"><c>[rows, query heads * head dim]</c> at the start of rows of <paramref name="queryStride"/> floats.</param>
    /// <param name="output"><c>[rows, query heads * head dim]</c>, likewise.</param>
    public void Run(int layer, float* queries, nint queryStride, float* output, nint outputStride)
    {
        _layer = layer;
        _queries = queries;
        _queryStride = queryStride;
        _output = output;
        _outputStride = outputStride;
        _workers.Run(_tasks.Count, _body);
        GC.KeepAlive(_pool);
    }

    public void Dispose()
    {
        foreach (var buffer in _scratch)
        {
            buffer.Dispose();
        }
    }

    private static long Cost((RowSpan Span, int FirstToken, int TokenCount, int Head) task) =>
        (long)task.TokenCount * (task.Span.FirstPosition + task.FirstToken + task.TokenCount);

    private void RunTask(int index, int worker)
    {
        var (span, firstToken, tokenCount, head) = _tasks[index];
        int headDim = _pool.HeadDim;
        int rows = tokenCount * _group;
        var scratch = new Scratch(_scratch[worker].Floats, Math.Max(TaskRows, _group), headDim, _paddedDim);
        float scale = 1f / MathF.Sqrt(headDim);
        for (int row = 0; row < rows; row++)
        {
            float* query = _queries + ((span.FirstRow + firstToken + (row / _group)) * _queryStride) + (((head * _group) + (row % _group)) * headDim);
            _kernels.Scale(scratch.Queries + (row * headDim), query, scale, headDim);
            scratch.Max[row] = float.NegativeInfinity;
            scratch.Sum[row] = 0;
        }
        new Span<float>(scratch.Sums, rows * _paddedDim).Clear();

        int firstPosition = span.FirstPosition + firstToken;
        int keyCount = firstPosition + tokenCount;
        var table = span.BlockTable.Span;
        for (int firstKey = 0; firstKey < keyCount; firstKey += TileKeys)
        {
            int keys = Math.Min(TileKeys, keyCount - firstKey);
            UnpackTile(scratch, head, table, firstKey, keys);
            for (int row = 0; row < rows; row += ScoreRows)
            {
                int count = Math.Min(ScoreRows, rows - row);
                int lastVisible = Math.Min(keys, firstPosition + ((row + count - 1) / _group) + 1 - firstKey);
                if (lastVisible > 0)
                {
                    AttendTile(scratch, row, count, firstPosition - firstKey + 1, lastVisible);
                }
            }
        }
        for (int row = 0; row < rows; row++)
        {
            float* target = _output + ((span.FirstRow + firstToken + (row / _group)) * _outputStride) + (((head * _group) + (row % _group)) * headDim);
            _kernels.Scale(target, scratch.Sums + (row * _paddedDim), 1f / scratch.Sum[row], headDim);
        }
    }

    /// <summary>One tile of keys for up to twelve rows.</summary>
    /// <param name="firstVisible">Keys of the tile that the task's first token sees; each later token sees one more.</param>
    /// <param name="keys">Keys of the tile that the last of these rows sees.</param>
    private void AttendTile(in Scratch scratch, int row, int count, int firstVisible, int keys)
    {
        int headDim = _pool.HeadDim;
        float* scores = scratch.Scores;
        for (int panel = 0; panel * PanelKeys < keys; panel++)
        {
            _kernels.Tile(
                WeightFormat.Float32, count, scratch.Queries + (row * headDim), headDim,
                (byte*)(scratch.Keys + (panel * PanelKeys * headDim)), scores + (panel * PanelKeys), TileKeys, headDim, add: false);
        }
        int padded = (keys + LaneMath.Lanes - 1) / LaneMath.Lanes * LaneMath.Lanes;
        for (int r = 0; r < count; r++)
        {
            float* line = scores + (r * TileKeys);
            int visible = Math.Clamp(firstVisible + ((row + r) / _group), 0, padded);
            new Span<float>(line + visible, padded - visible).Fill(float.NegativeInfinity);
            float rescale = _kernels.SoftmaxTile(line, padded, ref scratch.Max[row + r], ref scratch.Sum[row + r]);
            float* sums = scratch.Sums + ((row + r) * _paddedDim);
            if (rescale != 1f)
            {
                _kernels.Scale(sums, sums, rescale, _paddedDim);
            }
        }
        for (int panel = 0; panel * PanelKeys < _paddedDim; panel++)
        {
            _kernels.Tile(
                WeightFormat.Float32, count, scores, TileKeys, (byte*)(scratch.Values + (panel * TileKeys * PanelKeys)),
                scratch.Sums + (row * _paddedDim) + (panel * PanelKeys), _paddedDim, keys, add: true);
        }
    }

    /// <summary>Brings K as panels <c>[head dim, 32 keys]</c> and V as panels <c>[keys, 32 dims]</c>, widened to floats.</summary>
    private void UnpackTile(in Scratch scratch, int head, ReadOnlySpan<int> table, int firstKey, int keys)
    {
        int headDim = _pool.HeadDim;
        var strides = _pool.Strides;
        byte* origin = _pool.HeadBase(head, 0) + (_layer * strides.Layer);
        // This group of vectors and the next, which is fetched while this one is unpacked: blocks lie apart, so the processor does not guess it.
        byte** vectors = stackalloc byte*[2 * LaneMath.Lanes];
        byte** next = vectors + LaneMath.Lanes;
        byte** values = stackalloc byte*[LaneMath.Lanes];
        int count = Locate(origin, table, firstKey, Math.Min(keys, LaneMath.Lanes), next);
        // A panel of keys is multiplied whole: where the last one has no key it gets zeros (their scores are masked).
        int padded = (keys + PanelKeys - 1) / PanelKeys * PanelKeys;
        for (int first = 0; first < padded; first += LaneMath.Lanes)
        {
            for (int index = 0; index < count; index++)
            {
                vectors[index] = next[index];
                values[index] = next[index] + strides.Value;
            }
            int following = Math.Clamp(keys - first - LaneMath.Lanes, 0, LaneMath.Lanes);
            Locate(origin, table, firstKey + first + LaneMath.Lanes, following, next);
            float* columns = scratch.Keys + (first / PanelKeys * PanelKeys * headDim) + (first % PanelKeys);
            _kernels.UnpackKeys(_pool.DType, vectors, count, headDim, columns);
            _kernels.UnpackValues(_pool.DType, values, count, headDim, scratch.Values + (first * PanelKeys), TileKeys * PanelKeys);
            count = following;
        }
    }

    /// <summary>Finds the K vectors of consecutive positions and starts to fetch them and their V.</summary>
    private int Locate(byte* origin, ReadOnlySpan<int> table, int firstPosition, int count, byte** vectors)
    {
        const int LineBytes = 64;
        var strides = _pool.Strides;
        int vectorBytes = _pool.HeadDim * _pool.DType.Bytes();
        for (int index = 0; index < count; index++)
        {
            var (block, token) = Math.DivRem(firstPosition + index, _pool.BlockTokens);
            byte* vector = origin + (table[block] * strides.Block) + (token * strides.Token);
            vectors[index] = vector;
            for (int line = 0; Sse.IsSupported && line < vectorBytes; line += LineBytes)
            {
                Sse.Prefetch0(vector + line);
                Sse.Prefetch0(vector + strides.Value + line);
            }
        }
        return count;
    }

    /// <summary>One worker's memory, cut into its parts.</summary>
    private readonly struct Scratch(float* start, int rows, int headDim, int paddedDim)
    {
        public readonly float* Queries = start;
        public readonly float* Sums = start + ((long)rows * headDim);
        public readonly float* Max = start + ((long)rows * (headDim + paddedDim));
        public readonly float* Sum = start + ((long)rows * (headDim + paddedDim + 1));
        public readonly float* Scores = start + ((long)rows * (headDim + paddedDim + 2));
        public readonly float* Keys = start + ((long)rows * (headDim + paddedDim + 2)) + (ScoreRows * TileKeys);
        public readonly float* Values = start + ((long)rows * (headDim + paddedDim + 2)) + (ScoreRows * TileKeys) + ((long)TileKeys * headDim);

        public static long Floats(int rows, int headDim, int paddedDim) =>
            ((long)rows * (headDim + paddedDim + 2)) + (ScoreRows * TileKeys) + ((long)TileKeys * (headDim + paddedDim));
    }
}
