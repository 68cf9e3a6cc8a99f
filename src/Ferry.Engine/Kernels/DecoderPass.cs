using Ferry.Engine.KvCache;
using Ferry.Engine.Model;

namespace Ferry.Engine.Kernels;

/// <summary>Runs rows of tokens through all layers: the forward pass on native memory.</summary>
/// <remarks>
/// Buffers are for at most <see cref="MaxRows"/> rows; a longer step runs as several passes, which changes no bit.
/// Used by one thread at a time. The owner disposes it before the model and the pool.
/// </remarks>
internal sealed unsafe class DecoderPass : IDisposable
{
    /// <summary>Rows of one pass: 512 reach the full speed of the tiles; more would only cost memory.</summary>
    public const int MaxRows = 512;

    // Rows times width below which a row-wise job is done by the caller alone (a few microseconds).
    private const int SerialElements = 16_384;

    private readonly LlamaModel _model;
    private readonly ModelConfig _config;
    private readonly PagedKvPool _pool;
    private readonly KernelSet _kernels;
    private readonly WorkerPool _workers;
    private readonly MatrixProduct _product;
    private readonly PagedAttention _attention;
    private readonly float[] _inverseFrequencies;
    private readonly List<RowSpan> _spans = [];
    private readonly int[] _tokens = new int[MaxRows];
    private readonly Action<int, int> _embed;
    private readonly Action<int, int> _normalize;
    private readonly Action<int, int> _rotateAndStore;
    private readonly Action<int, int> _activate;
    private readonly int _mixedWidth;
    private readonly int _attendedWidth;

    private NativeBuffer? _memory;
    private int _capacity;
    private int _rows;
    private int _rowsPerTask;
    private int _layerIndex;
    private float* _x;
    private float* _normed;
    private float* _mixed;
    private float* _attended;
    private float* _gateUp;
    private float* _cos;
    private float* _sin;
    private float* _norm;

    private NativeBuffer? _last;

    public DecoderPass(LlamaModel model, PagedKvPool pool, KernelSet kernels, WorkerPool workers)
    {
        _model = model;
        _config = model.Config;
        _pool = pool;
        _kernels = kernels;
        _workers = workers;
        _product = new MatrixProduct(kernels, workers);
        _attention = new PagedAttention(pool, _config.Heads, kernels, workers);
        _inverseFrequencies = _config.Rope.InverseFrequencies(_config.HeadDim);
        _mixedWidth = (_config.Heads + (2 * _config.KvHeads)) * _config.HeadDim;
        _attendedWidth = _config.Heads * _config.HeadDim;
        _embed = EmbedRows;
        _normalize = NormalizeRows;
        _rotateAndStore = RotateAndStoreRows;
        _activate = ActivateRows;
    }

    /// <summary>Bytes of activations and scratch.</summary>
    public long ScratchBytes => (_memory?.ByteCount ?? 0) + (_last?.ByteCount ?? 0) + _attention.ScratchBytes;

    public int Rows => _rows;

    /// <summary>Starts a pass of no rows.</summary>
    public void Begin()
    {
        _rows = 0;
        _spans.Clear();
    }

    /// <summary>Adds consecutive tokens of one sequence; the pass must have room for them.</summary>
    public void Append(ReadOnlySpan<int> tokens, int firstPosition, ReadOnlyMemory<int> blockTable)
    {
        tokens.CopyTo(_tokens.AsSpan(_rows));
        _spans.Add(new RowSpan(_rows, tokens.Length, firstPosition, blockTable));
        _rows += tokens.Length;
    }

    /// <summary>Runs the rows through all layers: K and V go to the pool, the hidden state stays for <see cref="Keep"/>.</summary>
    /// <param name="firstSlice">Index of the slice that the first rows belong to.</param>
    /// <param name="layerStored">Told as soon as a layer's K and V are in the pool, before what else the layer does with them.</param>
    public void Run(int firstSlice = 0, Action<LayerProgress>? layerStored = null)
    {
        Reserve(_rows);
        PrepareRotation();
        _attention.Plan(_spans);
        ForRows(_config.HiddenSize, _embed);
        for (_layerIndex = 0; _layerIndex < _config.Layers; _layerIndex++)
        {
            var layer = _model.Layer(_layerIndex);
            Normalize(layer.AttentionNorm);
            _product.Run(layer.QueryKeyValue, _normed, _config.HiddenSize, _rows, _mixed, _mixedWidth, add: false);
            ForRows(_mixedWidth, _rotateAndStore);
            if (layerStored is not null)
            {
                Tell(layerStored, firstSlice);
            }
            _attention.Run(_layerIndex, _mixed, _mixedWidth, _attended, _attendedWidth);
            _product.Run(layer.AttentionOutput, _attended, _attendedWidth, _rows, _x, _config.HiddenSize, add: true);
            Normalize(layer.FeedForwardNorm);
            int width = 2 * _config.FeedForwardSize;
            _product.Run(layer.GateUp, _normed, _config.HiddenSize, _rows, _gateUp, width, add: false);
            ForRows(width, _activate);
            _product.Run(layer.Down, _gateUp, width, _rows, _x, _config.HiddenSize, add: true);
        }
        GC.KeepAlive(this);
    }

    private void Tell(Action<LayerProgress> layerStored, int firstSlice)
    {
        for (int index = 0; index < _spans.Count; index++)
        {
            var span = _spans[index];
            layerStored(new LayerProgress(_layerIndex, firstSlice + index, span.FirstPosition, span.FirstPosition + span.RowCount));
        }
    }

    /// <summary>Makes room for the final hidden states of <paramref name="count"/> tokens.</summary>
    public void ReserveKept(int count)
    {
        long bytes = 2L * count * _config.HiddenSize * sizeof(float);
        if (_last is null || _last.ByteCount < bytes)
        {
            _last?.Dispose();
            _last = new NativeBuffer(bytes);
        }
    }

    /// <summary>Keeps the hidden state of a row of the pass that just ran, as number <paramref name="index"/>.</summary>
    public void Keep(int row, int index)
    {
        int width = _config.HiddenSize;
        new ReadOnlySpan<float>(_x + ((long)row * width), width).CopyTo(new Span<float>(_last!.Floats + ((long)index * width), width));
    }

    /// <summary>The logits of the first <paramref name="count"/> kept states.</summary>
    /// <param name="logits"><c>[count, vocabulary]</c>.</param>
    public void Logits(int count, Span<float> logits)
    {
        int width = _config.HiddenSize;
        float* normed = _last!.Floats + ((long)count * width);
        for (int index = 0; index < count; index++)
        {
            _kernels.RmsNorm(_last.Floats + ((long)index * width), _model.FinalNorm.Pointer, normed + ((long)index * width), width, _config.NormEpsilon);
        }
        fixed (float* target = logits)
        {
            _product.Run(_model.Head, normed, width, count, target, _config.VocabularySize, add: false);
        }
        GC.KeepAlive(this);
    }

    public void Dispose()
    {
        _attention.Dispose();
        _memory?.Dispose();
        _last?.Dispose();
    }

    /// <summary>Cuts one allocation into the buffers of a pass; grows in steps, so that a decoding engine stays small.</summary>
    private void Reserve(int rows)
    {
        if (rows <= _capacity)
        {
            return;
        }
        _capacity = Math.Min(MaxRows, Math.Max(16, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)rows)));
        int half = _config.HeadDim / 2;
        ReadOnlySpan<int> widths = [_config.HiddenSize, _config.HiddenSize, _mixedWidth, _attendedWidth, 2 * _config.FeedForwardSize, half, half];
        long floats = 0;
        foreach (int width in widths)
        {
            floats += Rounded(width);
        }
        _memory?.Dispose();
        _memory = new NativeBuffer(floats * sizeof(float));
        float* next = _memory.Floats;
        _x = Take(widths[0]);
        _normed = Take(widths[1]);
        _mixed = Take(widths[2]);
        _attended = Take(widths[3]);
        _gateUp = Take(widths[4]);
        _cos = Take(widths[5]);
        _sin = Take(widths[6]);

        float* Take(int width)
        {
            float* start = next;
            next += Rounded(width);
            return start;
        }

        long Rounded(int width) => ((((long)width * _capacity) + LaneMath.Lanes - 1) / LaneMath.Lanes * LaneMath.Lanes);
    }

    /// <summary>Angles as Hugging Face computes them: the position times the frequency, rounded to fp32, then exact sine and cosine.</summary>
    private void PrepareRotation()
    {
        int half = _config.HeadDim / 2;
        foreach (var span in _spans)
        {
            for (int token = 0; token < span.RowCount; token++)
            {
                long row = (long)(span.FirstRow + token) * half;
                for (int i = 0; i < half; i++)
                {
                    float angle = (span.FirstPosition + token) * _inverseFrequencies[i];
                    var (sin, cos) = Math.SinCos((double)angle);
                    _cos[row + i] = (float)cos;
                    _sin[row + i] = (float)sin;
                }
            }
        }
    }

    private void Normalize(WeightVector weight)
    {
        _norm = weight.Pointer;
        ForRows(_config.HiddenSize, _normalize);
    }

    /// <summary>Runs a row-wise job, in parallel when it is worth waking the workers.</summary>
    private void ForRows(int width, Action<int, int> body)
    {
        int tasks = (long)_rows * width < SerialElements ? 1 : Math.Min(_rows, _workers.WorkerCount * 4);
        _rowsPerTask = (_rows + tasks - 1) / tasks;
        _workers.Run((_rows + _rowsPerTask - 1) / _rowsPerTask, body);
    }

    private (int First, int End) RowsOf(int task) => (task * _rowsPerTask, Math.Min(_rows, (task + 1) * _rowsPerTask));

    private void EmbedRows(int task, int worker)
    {
        var (first, end) = RowsOf(task);
        for (int row = first; row < end; row++)
        {
            float* target = _x + ((long)row * _config.HiddenSize);
            if (_model.Embedding is { } table)
            {
                table.Read(_tokens[row], target);
            }
            else
            {
                _model.Head.UnpackRow(_tokens[row], target);
            }
        }
    }

    private void NormalizeRows(int task, int worker)
    {
        var (first, end) = RowsOf(task);
        int width = _config.HiddenSize;
        for (long row = first; row < end; row++)
        {
            _kernels.RmsNorm(_x + (row * width), _norm, _normed + (row * width), width, _config.NormEpsilon);
        }
    }

    private void ActivateRows(int task, int worker)
    {
        var (first, end) = RowsOf(task);
        int width = _config.FeedForwardSize;
        for (long row = first; row < end; row++)
        {
            float* gate = _gateUp + (row * 2 * width);
            _kernels.SwiGlu(gate, gate + width, gate, width);
        }
    }

    private void RotateAndStoreRows(int task, int worker)
    {
        var (first, end) = RowsOf(task);
        int spanIndex = 0;
        for (int row = first; row < end; row++)
        {
            while (row >= _spans[spanIndex].FirstRow + _spans[spanIndex].RowCount)
            {
                spanIndex++;
            }
            RotateAndStore(row, _spans[spanIndex]);
        }
    }

    private void RotateAndStore(int row, in RowSpan span)
    {
        int headDim = _config.HeadDim;
        int half = headDim / 2;
        float* mixed = _mixed + ((long)row * _mixedWidth);
        float* cos = _cos + ((long)row * half);
        float* sin = _sin + ((long)row * half);
        var layer = _model.Layer(_layerIndex);
        for (int head = 0; head < _config.Heads + _config.KvHeads; head++)
        {
            float* vector = mixed + (head * headDim);
            var norm = head < _config.Heads ? layer.QueryNorm : layer.KeyNorm;
            if (norm is not null)
            {
                _kernels.RmsNorm(vector, norm.Pointer, vector, headDim, _config.NormEpsilon);
            }
            _kernels.Rotate(vector, cos, sin, half);
        }

        int position = span.FirstPosition + row - span.FirstRow;
        var strides = _pool.Strides;
        long offset = (_layerIndex * strides.Layer) + (span.BlockTable.Span[position / _pool.BlockTokens] * strides.Block)
            + (position % _pool.BlockTokens * strides.Token);
        float* keys = mixed + (_config.Heads * headDim);
        float* values = keys + (_config.KvHeads * headDim);
        for (int head = 0; head < _config.KvHeads; head++)
        {
            for (int replica = 0; replica < _pool.Replicas; replica++)
            {
                byte* address = _pool.HeadBase(head, replica) + offset;
                _kernels.StoreKv(_pool.DType, keys + (head * headDim), address, headDim);
                _kernels.StoreKv(_pool.DType, values + (head * headDim), address + strides.Value, headDim);
            }
        }
    }
}
