namespace Ferry.Engine.Kernels;

/// <summary>The weights of one decoder layer.</summary>
internal sealed class DecoderLayer : IDisposable
{
    public required NativeBuffer AttentionNorm { get; init; }

    /// <summary>Query heads, then key heads, then value heads.</summary>
    public required PackedMatrix QueryKeyValue { get; init; }

    /// <summary>Qwen3: norm of each query head before its rotation; else null.</summary>
    public NativeBuffer? QueryNorm { get; init; }

    public NativeBuffer? KeyNorm { get; init; }

    public required PackedMatrix AttentionOutput { get; init; }

    public required NativeBuffer FeedForwardNorm { get; init; }

    /// <summary>Gate outputs, then up outputs.</summary>
    public required PackedMatrix GateUp { get; init; }

    public required PackedMatrix Down { get; init; }

    public long ByteCount =>
        AttentionNorm.ByteCount + QueryKeyValue.ByteCount + (QueryNorm?.ByteCount ?? 0) + (KeyNorm?.ByteCount ?? 0)
        + AttentionOutput.ByteCount + FeedForwardNorm.ByteCount + GateUp.ByteCount + Down.ByteCount;

    public void Dispose()
    {
        AttentionNorm.Dispose();
        QueryKeyValue.Dispose();
        QueryNorm?.Dispose();
        KeyNorm?.Dispose();
        AttentionOutput.Dispose();
        FeedForwardNorm.Dispose();
        GateUp.Dispose();
        Down.Dispose();
    }
}
