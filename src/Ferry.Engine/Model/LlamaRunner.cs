using Ferry.Engine.Kernels;
using Ferry.Engine.KvCache;

namespace Ferry.Engine.Model;

/// <summary>Runs a <see cref="LlamaModel"/> on the CPU. Owns the pool, the kernel threads and the scratch memory; not the model.</summary>
public sealed class LlamaRunner : IModelRunner, IDisposable
{
    private const int MaxThreads = 256;

    private readonly LlamaModel _model;
    private readonly PagedKvPool _pool;
    private readonly WorkerPool _workers;
    private readonly DecoderPass _pass;

    /// <exception cref="ArgumentException">The pool does not fit the model, or the number of threads is not in 1..256.</exception>
    public LlamaRunner(LlamaModel model, KvPoolOptions pool, RunnerOptions? options = null)
    {
        int threads = options?.Threads ?? Math.Min(Environment.ProcessorCount, MaxThreads);
        if (threads is < 1 or > MaxThreads)
        {
            throw new ArgumentException($"{threads} threads are not possible; the number must lie in 1..{MaxThreads}.", nameof(options));
        }
        _model = model;
        var config = model.Config;
        _pool = new PagedKvPool(config.Layers, config.KvHeads, config.HeadDim, pool);
        _workers = new WorkerPool(threads);
        _pass = new DecoderPass(model, _pool, KernelSet.For(options?.VectorWidth ?? VectorWidths.Best), _workers);
    }

    public int VocabularySize => _model.Config.VocabularySize;

    public KvPool KvPool => _pool;

    public Action<LayerProgress>? LayerStored { get; set; }

    /// <summary>Native bytes of activations and scratch: what is needed beside the weights and the pool.</summary>
    public long ScratchBytes => _pass.ScratchBytes;

    /// <exception cref="ArgumentException">A slice, a token or a block is out of range, or <paramref name="logits"/> has the wrong length. Nothing was computed.</exception>
    public void Forward(ReadOnlySpan<SequenceSlice> slices, Span<float> logits)
    {
        _model.Memory.ThrowIfDisposed();
        int wanted = Check(slices, logits.Length);
        _pass.ReserveKept(wanted);
        int kept = 0;
        int index = 0;
        int done = 0;
        while (index < slices.Length)
        {
            _pass.Begin();
            int firstIndex = index;
            int firstDone = done;
            while (index < slices.Length && _pass.Rows < DecoderPass.MaxRows)
            {
                var slice = slices[index];
                int count = Math.Min(slice.Tokens.Length - done, DecoderPass.MaxRows - _pass.Rows);
                _pass.Append(slice.Tokens.Span.Slice(done, count), slice.FirstPosition + done, slice.BlockTable);
                done += count;
                if (done == slice.Tokens.Length)
                {
                    index++;
                    done = 0;
                }
            }
            _pass.Run(firstIndex, LayerStored);
            kept = Keep(slices[firstIndex..index], firstDone, kept);
        }
        if (wanted > 0)
        {
            _pass.Logits(wanted, logits);
        }
    }

    public void Dispose()
    {
        _workers.Dispose();
        _pass.Dispose();
        _pool.Dispose();
    }

    /// <summary>Keeps the last hidden state of the slices that ended in this pass.</summary>
    /// <param name="ended">They stand in the pass one after the other.</param>
    /// <param name="before">Tokens of the first of them that earlier passes ran.</param>
    private int Keep(ReadOnlySpan<SequenceSlice> ended, int before, int kept)
    {
        int row = -before;
        foreach (var slice in ended)
        {
            row += slice.Tokens.Length;
            if (slice.WantsLogits)
            {
                _pass.Keep(row - 1, kept++);
            }
        }
        return kept;
    }

    private int Check(ReadOnlySpan<SequenceSlice> slices, int logitCount)
    {
        int wanted = 0;
        foreach (var slice in slices)
        {
            CheckSlice(slice);
            wanted += slice.WantsLogits ? 1 : 0;
        }
        if (logitCount != (long)wanted * VocabularySize)
        {
            throw new ArgumentException($"{wanted} slices want logits of {VocabularySize} numbers each, but there is room for {logitCount}.");
        }
        return wanted;
    }

    private void CheckSlice(in SequenceSlice slice)
    {
        if (slice.Tokens.IsEmpty || slice.FirstPosition < 0)
        {
            throw new ArgumentException("A slice has at least one token and a position from 0.");
        }
        long end = (long)slice.FirstPosition + slice.Tokens.Length;
        if (end > _model.Config.MaxPositions)
        {
            throw new ArgumentException($"A slice ends at position {end}; the model has {_model.Config.MaxPositions}.");
        }
        long blocks = ((end - 1) / _pool.BlockTokens) + 1;
        if (slice.BlockTable.Length < blocks)
        {
            throw new ArgumentException($"A slice that ends at position {end} needs {blocks} blocks of {_pool.BlockTokens} tokens; its table has {slice.BlockTable.Length}.");
        }
        foreach (int block in slice.BlockTable.Span[..(int)blocks])
        {
            if ((uint)block >= (uint)_pool.BlockCount)
            {
                throw new ArgumentException($"Block {block} is not in the pool of {_pool.BlockCount} blocks.");
            }
        }
        foreach (int token in slice.Tokens.Span)
        {
            if ((uint)token >= (uint)VocabularySize)
            {
                throw new ArgumentException($"Token {token} is not in the vocabulary of {VocabularySize}.");
            }
        }
    }
}
