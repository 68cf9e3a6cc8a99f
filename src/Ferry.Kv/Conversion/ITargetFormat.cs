using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Sixteen fp32 values at a time, to a dtype; bit for bit what <see cref="ElementCodec.Encode"/> gives.</summary>
internal interface ITargetFormat
{
    static abstract KvDType DType { get; }

    static abstract int ElementBytes { get; }

    /// <summary>Writes 16 elements.</summary>
    static abstract void Store(Vector512<float> values, ref byte to);
}
