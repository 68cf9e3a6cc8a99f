using Ferry.Engine.Chat;
using Ferry.Engine.Connector;
using Ferry.Engine.KvCache;
using Ferry.Engine.Model;
using Ferry.Engine.Scheduling;
using Ferry.Engine.Tokenization;
using Ferry.Kv.Layout;
using Microsoft.Extensions.Logging;

namespace Ferry.Engine.Generation;

/// <summary>Wires model, pool, tokenizer and template of a directory into an engine.</summary>
internal static class EngineLoader
{
    private const int MaxThreads = 256;
    private const int MaxTensorParallelSize = 64;
    private const int MaxNumSeqs = 4096;
    private const int MaxBatchedTokens = 1 << 20;
    private const int MaxWaiting = 1 << 20;
    private const int DefaultBatchedTokens = 512;
    private const long DefaultKvMemoryBytes = 1L << 30;

    // Loads run ahead of admission, so that a transfer of the next requests overlaps the steps of the current ones.
    private const int LeastLoads = 64;

    /// <summary>See LlmEngine.Load.</summary>
    public static LlmEngine Load(
        string modelDirectory, EngineOptions options, Func<UInt128, IKvConnector?> connect, TimeProvider time, ILoggerFactory loggers)
    {
        ThrowIfAny(CheckAlone(options));
        var tokenizer = Tokenizer.Load(modelDirectory);
        var logger = loggers.CreateLogger<LlmEngine>();
        var model = LlamaModel.Load(modelDirectory, new LoadOptions { Threads = Threads(options) });
        LlamaRunner? runner = null;
        try
        {
            var (limits, pool) = Fit(options, model.Config, model.WeightBytes);
            runner = new LlamaRunner(model, pool, new RunnerOptions { Threads = Threads(options) });
            return new LlmEngine(
                Describe(modelDirectory, options, model, limits, pool, tokenizer), runner, limits, tokenizer,
                ReadTemplate(tokenizer, logger), connect(model.Fingerprint), time, logger, options.Seed, new Owned(runner, model));
        }
        catch
        {
            runner?.Dispose();
            model.Dispose();
            throw;
        }
    }

    private static int? Threads(EngineOptions options) => options.Threads == 0 ? null : options.Threads;

    /// <summary>What can be said without the model.</summary>
    internal static List<string> CheckAlone(EngineOptions options)
    {
        var errors = new List<string>();
        void InRange(string name, long? value, long least, long most)
        {
            if (value < least || value > most) { errors.Add($"{name} is {value}; it must lie in {least}..{most}."); }
        }
        InRange("tensor_parallel_size", options.TensorParallelSize, 1, MaxTensorParallelSize);
        InRange("block_size", options.BlockTokens, 1, 1024);
        InRange("max_model_len", options.MaxModelLen, 2, int.MaxValue);
        InRange("max_num_seqs", options.MaxNumSeqs, 1, MaxNumSeqs);
        InRange("max_num_batched_tokens", options.MaxNumBatchedTokens, 1, MaxBatchedTokens);
        InRange("max_waiting", options.MaxWaiting, 1, MaxWaiting);
        InRange("threads", options.Threads, 0, MaxThreads);
        InRange("kv_memory", options.KvMemoryBytes, 1, long.MaxValue);
        if (options.KvDType is not (KvDType.BFloat16 or KvDType.Float16 or KvDType.Float32))
        {
            errors.Add($"kv_cache_dtype is {options.KvDType}; this engine stores bfloat16, float16 or float32.");
        }
        return errors;
    }

    /// <summary>Limits and pool for this model.</summary>
    /// <exception cref="EngineOptionsException">Options that this model cannot have.</exception>
    internal static (SchedulerLimits Limits, KvPoolOptions Pool) Fit(EngineOptions options, ModelConfig model, long weightBytes = 0)
    {
        var errors = new List<string>();
        var ranks = options.TensorParallelSize ?? options.Device.TensorParallelSize;
        if (model.KvHeads % ranks != 0 && ranks % model.KvHeads != 0)
        {
            errors.Add($"tensor_parallel_size is {ranks}, and the model has {model.KvHeads} KV heads; one must divide the other.");
        }
        var maxModelLen = options.MaxModelLen ?? model.MaxPositions;
        if (maxModelLen > model.MaxPositions)
        {
            errors.Add($"max_model_len is {maxModelLen}; the model is made for {model.MaxPositions} positions. Lower it, or leave it out.");
        }
        ThrowIfAny(errors);
        var blockTokens = options.BlockTokens ?? options.Device.BlockTokens;
        // More ranks than heads: each head is stored on several ranks.
        var storedHeads = Math.Max(model.KvHeads, ranks);
        var blockBytes = 2L * model.Layers * storedHeads * model.HeadDim * options.KvDType.Bytes() * blockTokens;
        var blockCount = BlockCount(options, maxModelLen, blockTokens, blockBytes, weightBytes);
        var batchedTokens = options.MaxNumBatchedTokens ??
            Math.Max(options.MaxNumSeqs, options.EnableChunkedPrefill ? DefaultBatchedTokens : maxModelLen);
        var limits = new SchedulerLimits(
            options.MaxNumSeqs, maxModelLen, batchedTokens, options.MaxWaiting, Math.Max(LeastLoads, 2 * options.MaxNumSeqs),
            blockTokens, blockCount, options.EnablePrefixCaching, options.EnableChunkedPrefill);
        ThrowIfAny(limits.Errors());
        return (limits, KvPoolOptions.For(options.Device) with
        {
            BlockTokens = blockTokens,
            TensorParallelSize = ranks,
            DType = options.KvDType,
            BlockCount = blockCount,
        });
    }

    private static int BlockCount(EngineOptions options, int maxModelLen, int blockTokens, long blockBytes, long weightBytes)
    {
        if (options.BlockCount is { } exact) { return Math.Min(exact, int.MaxValue / blockTokens); }
        if (options.KvMemoryBytes is { } bytes) { return (int)Math.Min(bytes / blockBytes, int.MaxValue / blockTokens); }
        var blocksOfOne = (maxModelLen + blockTokens - 1L) / blockTokens;
        if (options.MemoryBudgetBytes is { } budget)
        {
            // Too little for one sequence is an error that SchedulerLimits tells; the budget is never exceeded in silence.
            return (int)Math.Min(Math.Min(blocksOfOne * options.MaxNumSeqs, Math.Max(0, budget - weightBytes) / blockBytes), int.MaxValue / blockTokens);
        }
        var wanted = Math.Min(blocksOfOne * options.MaxNumSeqs, DefaultKvMemoryBytes / blockBytes);
        return (int)Math.Min(Math.Max(wanted, blocksOfOne), int.MaxValue / blockTokens);
    }

    private static EngineInfo Describe(
        string modelDirectory, EngineOptions options, LlamaModel model, SchedulerLimits limits, KvPoolOptions pool, Tokenizer tokenizer) => new()
        {
            ModelName = options.ModelName ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(modelDirectory))),
            ModelPath = modelDirectory,
            ModelFingerprint = model.Fingerprint,
            VocabularySize = model.Config.VocabularySize,
            MaxModelLen = limits.MaxModelLen,
            MaxNumSeqs = limits.MaxNumSeqs,
            MaxNumBatchedTokens = limits.MaxNumBatchedTokens,
            BlockTokens = limits.BlockTokens,
            BlockCount = limits.BlockCount,
            TensorParallelSize = pool.TensorParallelSize,
            KvDType = pool.DType,
            WeightDType = model.Head.Format.ToString().ToLowerInvariant(),
            Device = options.Device,
            EnablePrefixCaching = limits.EnablePrefixCaching,
            EnableChunkedPrefill = limits.EnableChunkedPrefill,
            EosTokenIds = model.Generation.EosTokenIds.Count > 0 ? model.Generation.EosTokenIds
            : tokenizer.EosTokenId is { } eos ? [eos] : [],
            DefaultSampling = Defaults(model.Generation),
        };

    private static SamplingParams Defaults(GenerationDefaults advice) => new()
    {
        Temperature = advice.DoSample == false ? 0 : advice.Temperature ?? 1f,
        TopP = advice.TopP is > 0 ? advice.TopP.Value : 1f,
        TopK = advice.TopK ?? 0,
        MinP = advice.MinP ?? 0,
        RepetitionPenalty = advice.RepetitionPenalty is > 0 ? advice.RepetitionPenalty.Value : 1f,
        MaxTokens = advice.MaxNewTokens,
    };

    private static ChatTemplate? ReadTemplate(Tokenizer tokenizer, ILogger logger)
    {
        if (tokenizer.ChatTemplateSource is not { } source) { return null; }
        try
        {
            return ChatTemplate.Parse(source, tokenizer.BosToken, tokenizer.EosToken);
        }
        catch (ChatTemplateException error)
        {
            // Completions work without; chat requests will say that there is no template.
            EngineLog.TemplateUnusable(logger, error.Message);
            return null;
        }
    }

    private static void ThrowIfAny(IReadOnlyList<string> errors)
    {
        if (errors.Count > 0) { throw new EngineOptionsException(errors); }
    }

    private sealed class Owned(LlamaRunner runner, LlamaModel model) : IDisposable
    {
        public void Dispose()
        {
            runner.Dispose();
            model.Dispose();
        }
    }
}
