namespace Ferry.Kv.Conversion;

/// <summary>What an fp8 is made of, for kernels that round to it by themselves.</summary>
internal interface IFp8Format : ITargetFormat
{
    static abstract int MantissaBits { get; }

    static abstract int Bias { get; }

    /// <summary>The largest number as bf16, which has it exactly.</summary>
    static abstract ushort LargestBFloat16 { get; }

    /// <summary>Whether the code of the negative zero is the one NaN.</summary>
    static abstract bool IsFnuz { get; }
}
