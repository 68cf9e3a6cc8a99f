using System.Runtime.Intrinsics;
using Ferry.Kv.Layout;

namespace Ferry.Kv.Conversion;

/// <summary>Sixteen elements of a dtype at a time, to fp32; bit for bit what <see cref="ElementCodec.Decode"/> gives.</summary>
internal interface ISourceFormat
{
    static abstract KvDType DType { get; }

    static abstract int ElementBytes { get; }

    /// <summary>Reads 16 elements.</summary>
    static abstract Vector512<float> Load(ref byte from);
}
