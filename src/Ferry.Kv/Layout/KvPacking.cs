namespace Ferry.Kv.Layout;

/// <summary>Where K and V lie relative to each other. The numbers reach disk and wire and never change.</summary>
public enum KvPacking : byte
{
    /// <summary>Two tensors a layer: all K blocks, then all V blocks (Gaudi).</summary>
    Split = 1,

    /// <summary>Each block holds its K half, then its V half.</summary>
    Halves = 2,

    /// <summary>Each token of each head holds its K vector, then its V vector (current vLLM on ROCm and CUDA).</summary>
    Interleaved = 3,
}
